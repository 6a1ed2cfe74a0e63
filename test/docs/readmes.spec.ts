import { startRoost, type TestRoost } from '#lib/testing';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installPackages } from '../../packages/sdk/test/install-packages.js';
import { blocksOf, commandsOf, missing, run } from './commands.js';

/** What the README of the SDK takes as given: bytes to upload, and a webhook that came. */
const GIVEN = `
import { signWebhook } from '@roost-ai/sdk';
const file = new Blob(['some bytes']);
const rawBody = JSON.stringify({ type: 'webhook.test', timestamp: new Date().toISOString(), data: {} });
const request = { headers: await signWebhook(rawBody, process.env.ROOST_WEBHOOK_SECRET, { id: 'msg_1' }) };
`;

describe('what the READMEs show, with the packages as they are published', () => {
  let roost: TestRoost;
  let folder: string;
  let env: Record<string, string>;
  beforeAll(async () => {
    [roost, folder] = await Promise.all([startRoost(), installPackages('sdk', 'cli')]);
    env = {
      HOME: folder,
      PATH: `${join(folder, 'node_modules/.bin')}:${process.env['PATH'] ?? ''}`,
      ROOST_URL: roost.url,
      ROOST_API_KEY: roost.apiKey,
      ROOST_WEBHOOK_SECRET: 'whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
    };
  });
  afterAll(() => roost?.stop());

  /** The TypeScript of a page as one program, at this Roost. */
  const program = async (page: string, given = '') => {
    const code = blocksOf(page, 'ts').join('\n');
    const here = code.replaceAll('http://localhost:3000', roost.url).replaceAll('roost_sk_…', roost.apiKey);
    writeFileSync(join(folder, 'program.mjs'), given + here);
    return run(process.execPath, ['program.mjs'], { cwd: folder, env });
  };

  it('the first program', async () => {
    expect(await program('README.md')).toMatch(/notes\.txt[^]*hello\n$/);
  });

  it('the SDK', async () => {
    const output = await program('packages/sdk/README.md', GIVEN);
    expect(output).toMatch(/\n→ read_file\n/);
    expect(output).toContain('report.md');
  });

  it.skipIf(missing.length > 0)('the command line', async () => {
    const output = await run('bash', ['-c', commandsOf('packages/cli/README.md')], { cwd: folder, env });
    expect(output).toContain('Exit codes');
  });
});
