import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installPackages } from './install-packages.js';
import { json, scriptedServer } from './scripted-server.js';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../../', import.meta.url));
const MAX_GZIPPED_BYTES = 25_000;

/** What a program does first. */
const PROGRAM = `
import { NotFoundError, Roost, verifyWebhook } from '@roost-ai/sdk';
const roost = new Roost({ url: process.argv[2], apiKey: 'roost_sk_1' });
const agent = await roost.agents.create({ name: 'from the package' });
const webhook = await verifyWebhook('{}', {}, 'whsec_AAAA').catch((error) => error.name);
const missing = await roost.agents.get('x').catch((error) => error instanceof NotFoundError && error.requestId);
console.log(JSON.stringify([agent.id, webhook, missing]));
`;

const TYPED_PROGRAM = `
import { type AgentEvent, Roost, type Schedule } from '@roost-ai/sdk';
const roost = new Roost({ url: 'http://localhost:3000', apiKey: 'k' });
export async function main(): Promise<string> {
  const agent = await roost.agents.create({ name: 'a', configuration: { model: 'demo' } });
  for await (const event of agent.events()) if (event.type === 'text.delta') return event.data.text;
  const schedules: Schedule[] = await agent.schedules.list().toArray();
  return schedules[0]?.name ?? (await agent.ask('hi')).text;
}
export const typeOf = (event: AgentEvent): string => event.type;
// @ts-expect-error: types are there
await roost.agents.create({ nome: 'a' });
`;

describe('the package as it is published', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await installPackages('sdk');
  });
  const server = scriptedServer(json(201, { id: 'agent-1' }), (response) => {
    response.writeHead(404, { 'x-request-id': 'req_9' }).end('{}');
  });
  afterAll(async () => (await server).close());

  it('has the version of the project, no dependencies, and nothing but what it needs', () => {
    const installed = join(folder, 'node_modules/@roost-ai/sdk');
    const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as Record<string, unknown>;
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    expect(manifest).toMatchObject({ name: '@roost-ai/sdk', version });
    expect(manifest).not.toHaveProperty('dependencies');
    expect(readdirSync(installed).sort()).toEqual(['LICENSE', 'README.md', 'index.js', 'package.json', 'types']);
    expect(readdirSync(join(folder, 'node_modules')).filter((name) => !name.startsWith('.'))).toEqual(['@roost-ai']);
  });

  // The one that runs the tests, and the machine's own, which may be older.
  it.each([process.execPath, 'node'])('runs in a fresh folder under %s', async (node) => {
    const { url, calls } = await server;
    calls.length = 0;
    writeFileSync(join(folder, 'program.mjs'), PROGRAM);
    // The machine's Node, not the one that npm's scripts put first.
    const path = (process.env['PATH'] ?? '').split(':').filter((part) => !part.includes('node_modules'));
    const env = { ...process.env, PATH: path.join(':') };
    const { stdout } = await run(node, ['program.mjs', url], { cwd: folder, env });
    expect(JSON.parse(stdout)).toEqual(['agent-1', 'WebhookVerificationError', 'req_9']);
  });

  it.each([
    [
      'a page',
      {
        module: 'esnext',
        moduleResolution: 'bundler',
        lib: ['es2022', 'dom', 'dom.iterable'],
        types: [],
        skipLibCheck: false,
      },
    ],
    [
      'Node',
      { module: 'nodenext', moduleResolution: 'nodenext', lib: ['es2023'], types: ['node'], skipLibCheck: true },
    ],
  ])('compiles in a program for %s, the strictest way', async (name, options) => {
    const project = join(folder, name.replace(' ', '-'));
    mkdirSync(project, { recursive: true });
    writeFileSync(join(project, 'program.mts'), TYPED_PROGRAM);
    const typeRoots = [join(root, 'node_modules/@types')];
    const strict = { strict: true, exactOptionalPropertyTypes: true, noEmit: true, target: 'es2022' };
    writeFileSync(
      join(project, 'tsconfig.json'),
      JSON.stringify({ compilerOptions: { ...strict, ...options, typeRoots }, include: ['program.mts'] }),
    );
    const { stdout } = await run(process.execPath, [
      join(root, 'node_modules/typescript/bin/tsc'),
      '-p',
      project,
    ]).catch((error: { stdout: string }) => error);
    expect(stdout).toBe('');
  });

  it(`takes less than ${MAX_GZIPPED_BYTES} bytes of a page`, async () => {
    const { outputFiles } = await build({
      stdin: { contents: `export * from '@roost-ai/sdk'`, resolveDir: folder },
      ...{ bundle: true, minify: true, format: 'esm', platform: 'browser', write: false },
    });
    expect(gzipSync(outputFiles[0]?.contents ?? '').length).toBeLessThan(MAX_GZIPPED_BYTES);
  });
});
