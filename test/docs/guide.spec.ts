import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { startRoost, temporaryFolder, type TestRoost, until } from '#lib/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { blocksOf, commandsOf, hasCommands, isHere, missing, run } from './commands.js';

const DOCS = fileURLToPath(new URL('../../docs/', import.meta.url));
const pagesIn = (folder: string) => readdirSync(join(DOCS, folder)).filter((name) => name.endsWith('.md'));
const guide = pagesIn('guide');
/** Chats have a test of their own: they need their platforms. */
const withCommands = [
  ...pagesIn('').map((name) => `docs/${name}`),
  ...guide.map((name) => `docs/guide/${name}`),
].filter(hasCommands);

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

  it.each(guide)('has pages that can be read at a sitting: %s', (page) => {
    expect(readFileSync(join(DOCS, 'guide', page), 'utf8').split('\n').length).toBeLessThan(200);
  });

  it('leads to every page from its first', () => {
    const index = readFileSync(join(DOCS, 'guide/README.md'), 'utf8');
    const links = [
      ...guide.filter((page) => page !== 'README.md'),
      ...pagesIn('channels').map((page) => `../channels/${page}`),
      ...withCommands.filter((page) => !page.includes('guide/')).map((page) => page.replace('docs/', '../')),
    ];
    const inChats = readFileSync(join(DOCS, 'guide/chats.md'), 'utf8');
    expect(links.filter((link) => ![index, inChats].some((page) => page.includes(`](${link})`)))).toEqual([]);
  });

  const commands = it.skipIf(missing.length > 0).concurrent;
  // Each begins the CLI again and again, beside the others.
  const PATIENCE_MS = 300_000;
  const title = missing.length > 0 ? `(without ${missing.join(', ')} none is run)` : 'in their order';
  commands.each(withCommands)(
    `has commands that work, ${title}: %s`,
    async (page) => {
      const output = await run('bash', ['-c', commandsOf(page)], {
        env: { ROOST_URL: roost.url, ROOST_API_KEY: roost.apiKey, RECEIVER_URL: receiverUrl },
      });
      // A path of `jq` that leads nowhere.
      expect(output.split('\n')).not.toContain('null');
    },
    PATIENCE_MS,
  );

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
    const [code = ''] = blocksOf('docs/guide/webhooks.md', 'python');
    const file = join(temporaryFolder(), 'verify.py');
    writeFileSync(
      file,
      `${code}\nimport json, sys\nverify(sys.argv[1], json.loads(sys.argv[2]), sys.argv[3].encode())\n`,
    );
    const verify = (sent: string) => run('python3', [file, made.secret, JSON.stringify(headers), sent], {});
    await verify(body);
    await expect(verify(`${body} `)).rejects.toThrow('wrong signature');
  });
});
