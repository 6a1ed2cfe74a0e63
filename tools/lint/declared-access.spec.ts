import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'roost-lint-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What oxlint says of a class with these methods, by this rule alone. */
async function complaints(methods: string): Promise<string[]> {
  const config = join(folder, 'oxlint.json');
  const source = join(folder, 'some.controller.ts');
  writeFileSync(
    config,
    JSON.stringify({
      jsPlugins: [{ name: 'roost', specifier: join(root, 'tools/lint/plugin.mjs') }],
      categories: { correctness: 'off' },
      rules: { 'roost/declared-access': 'error' },
    }),
  );
  writeFileSync(source, `class C { ${methods} }`);
  const output = await new Promise<string>((resolve) =>
    execFile(join(root, 'node_modules/.bin/oxlint'), ['-c', config, '--format', 'json', source], (_, stdout) =>
      resolve(stdout),
    ),
  );
  const { diagnostics } = JSON.parse(output) as { diagnostics: { message: string }[] };
  return diagnostics.map(({ message }) => message);
}

it('a route without declared access does not pass', async () => {
  const naked = `@Get('x') naked() {} @Post() @HttpCode(200) bare() {}`;
  expect(await complaints(naked)).toEqual([
    '@Get without @Endpoint: state who may call naked',
    '@Post without @Endpoint: state who may call bare',
  ]);
  expect(await complaints(`@Get('x') @Endpoint({ access: 'public' }) open() {}`)).toEqual([]);
  expect(await complaints(`@MessagePattern('x') bus() {} plain() {}`)).toEqual([]);
});
