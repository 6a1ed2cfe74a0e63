import { bundleProgram } from '#lib/testing';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const suite = join(root, 'node_modules/@modelcontextprotocol/conformance/dist/index.js');

/** The suite is written for Node 22; what it wants of it is one function that is not used for clients. */
const fsWithGlob = `data:text/javascript,${encodeURIComponent('export * from "node:fs"; export { default } from "node:fs"; export const globSync = () => [];')}`;
const hooks = `export const resolve = (s, c, n) => s === 'fs' && c.parentURL?.includes('/conformance/') ? { url: ${JSON.stringify(fsWithGlob)}, shortCircuit: true } : n(s, c);`;
const preload = `data:text/javascript,${encodeURIComponent(`import { register } from 'node:module'; register(${JSON.stringify(`data:text/javascript,${encodeURIComponent(hooks)}`)});`)}`;

/** One of each kind; the whole list passes too, but for `auth/basic-cimd`, which wants a client with a public URL. */
const SCENARIOS = [
  'initialize',
  'tools_call',
  'auth/metadata-default',
  'auth/scope-step-up',
  'auth/token-endpoint-auth-basic',
  'auth/2025-03-26-oauth-metadata-backcompat',
  'auth/resource-mismatch',
];

describe('the MCP client against the published conformance suite', () => {
  const folder = mkdtempSync(join(tmpdir(), 'roost-conformance-'));
  const client = join(folder, 'client.mjs');

  beforeAll(async () => {
    await bundleProgram('apps/agent-runtime/test/conformance-client.ts', client);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const passes = async (scenario: string) => {
    const command = ['--command', `${process.execPath} ${client}`, '--timeout', '240000'];
    const run = await promisify(execFile)(
      process.execPath,
      ['--import', preload, suite, 'client', ...command, '--scenario', scenario],
      { cwd: folder },
    );
    const result = /Passed: .*/.exec(run.stdout + run.stderr)?.[0] ?? '';
    console.log(`${scenario}: ${result}`);
    expect(result).toMatch(/ 0 failed, 0 warnings/);
  };

  it.concurrent.each(SCENARIOS)('passes %s', passes);
  // Warns of a reconnect that is 200 ms late, as a busy machine may be.
  it('passes sse-retry', { retry: 4 }, () => passes('sse-retry'));
});
