import { cruise, type IConfiguration } from 'dependency-cruiser';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';

/** The rules that `npm run lint` goes by. */
const rulesFile = new URL('../.dependency-cruiser.mjs', import.meta.url).href;
const { default: config } = (await import(rulesFile)) as { default: IConfiguration };

/** The rules that a project of these files breaks. */
async function brokenBy(files: Record<string, string>): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'roost-layers-'));
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    const { forbidden, options } = config;
    const { output } = await cruise(['libs'], {
      ...options,
      tsConfig: {},
      baseDir: folder,
      validate: true,
      ruleSet: { forbidden: forbidden ?? [] },
    });
    if (typeof output === 'string') throw new Error(output);
    return [...new Set(output.summary.violations.map(({ rule }) => rule.name))].sort();
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const used = `export interface A {}`;
const uses = (path: string) => `import type { A } from '${path}';\nexport interface B { a: A }`;

it.each([
  [
    'a lib that imports one above it',
    { 'libs/rpc/src/b.ts': uses('../../contracts/src/a.js'), 'libs/contracts/src/a.ts': used },
    [],
  ],
  [
    'a lib that imports one below it',
    { 'libs/rpc/src/b.ts': uses('../../bus/src/a.js'), 'libs/bus/src/a.ts': used },
    ['layer-rpc'],
  ],
  [
    'a circle of types between two libs',
    { 'libs/rpc/src/a.ts': uses('../../database/src/b.js'), 'libs/database/src/b.ts': uses('../../rpc/src/a.js') },
    ['layer-database', 'layer-rpc', 'no-circular'],
  ],
  [
    'a circle of types in one lib',
    { 'libs/rpc/src/a.ts': uses('./b.js'), 'libs/rpc/src/b.ts': uses('./a.js') },
    ['no-circular'],
  ],
  [
    'a lib that has no layer',
    { 'libs/new/src/b.ts': uses('../../rpc/src/a.js'), 'libs/rpc/src/a.ts': used },
    ['lib-without-layer'],
  ],
])('lint says what is wrong with %s', async (_, files, rules) => {
  expect(await brokenBy(files)).toEqual(rules);
});
