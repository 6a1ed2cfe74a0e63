import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { startRoost, temporaryFolder, type TestRoost, until } from '#lib/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const FOLDER = fileURLToPath(new URL('../../docs/guide/', import.meta.url));
const pages = readdirSync(FOLDER).filter((name) => name.endsWith('.md'));
/** Code of a page that is marked with these words after its fence. */
const blocksOf = (page: string, info: string) =>
  [...readFileSync(join(FOLDER, page), 'utf8').matchAll(/^```(.+)\n([\s\S]*?)^```$/gm)]
    .filter(([, words]) => words === info)
    .map(([, , code = '']) => code);
const withCommands = pages.filter((page) => blocksOf(page, 'sh run').length > 0);

/** What a reader of the guide has, and not every machine that runs the tests. */
const isHere = (program: string) => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
const missing = ['bash', 'curl', 'jq', 'openssl'].filter((program) => !isHere(program));

describe('the guide', () => {
  let roost: TestRoost;
  let receiver: Server;
  let receiverUrl: string;
  const received: { headers: IncomingHttpHeaders; body: string }[] = [];

  beforeAll(async () => {
    receiver = createServer((request, response) => {
      void text(request).then((body) => {
        received.push({ headers: request.headers, body });
        response.writeHead(204).end();
      });
    });
    await once(receiver.listen(0, '127.0.0.1'), 'listening');
    receiverUrl = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/roost`;
    roost = await startRoost();
  });
  afterAll(async () => {
    await roost?.stop();
    receiver?.close().closeAllConnections();
  });

  /** Runs a program to its end; gives what it wrote. Errors: with that, when it fails. */
  const run = async (program: string, args: string[], env: Record<string, string> = {}) => {
    const child = spawn(program, args, { env: { PATH: process.env['PATH'] ?? '', ...env } });
    const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
    if (code !== 0) throw new Error(`${program} ended with ${String(code)}\n${output}\n${errors}`);
    return output;
  };

  it.each(pages)('has pages that can be read at a sitting: %s', (page) => {
    expect(readFileSync(join(FOLDER, page), 'utf8').split('\n').length).toBeLessThan(200);
  });

  it('leads to every page from its first', () => {
    const index = readFileSync(join(FOLDER, 'README.md'), 'utf8');
    expect(pages.filter((page) => page !== 'README.md' && !index.includes(`](${page})`))).toEqual([]);
  });

  const commands = it.skipIf(missing.length > 0).concurrent;
  const title = missing.length > 0 ? `(without ${missing.join(', ')} none is run)` : 'in their order';
  commands.each(withCommands)(`has commands that work, ${title}: %s`, async (page) => {
    const script = ['set -euo pipefail', ...blocksOf('quick-start.md', 'sh setup'), ...blocksOf(page, 'sh run')];
    const output = await run('bash', ['-c', script.join('\n')], {
      ROOST_URL: roost.url,
      ROOST_API_KEY: roost.apiKey,
      RECEIVER_URL: receiverUrl,
    });
    // A path of `jq` that leads nowhere.
    expect(output.split('\n')).not.toContain('null');
  });

  it.skipIf(!isHere('python3'))('checks signatures in Python as Roost makes them', async () => {
    const { body: made } = await roost.api<{ endpoint: { id: string }; secret: string }>(
      'POST',
      '/v1/webhooks/endpoints',
      { url: `${receiverUrl}/signed`, events: ['*'] },
    );
    await roost.api('POST', `/v1/webhooks/endpoints/${made.endpoint.id}/test`);
    const { headers, body } = await until('the test event has come', () =>
      received.find((request) => request.body.includes(made.endpoint.id)),
    );
    const [code = ''] = blocksOf('webhooks.md', 'python');
    const file = join(temporaryFolder(), 'verify.py');
    writeFileSync(
      file,
      `${code}\nimport json, sys\nverify(sys.argv[1], json.loads(sys.argv[2]), sys.argv[3].encode())\n`,
    );
    const verify = (sent: string) => run('python3', [file, made.secret, JSON.stringify(headers), sent]);
    await verify(body);
    await expect(verify(`${body} `)).rejects.toThrow('wrong signature');
  });
});
