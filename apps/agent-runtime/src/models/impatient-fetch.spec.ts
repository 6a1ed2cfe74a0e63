import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { AnswerTooLarge } from '#lib/bounded-streams';
import { impatientFetch } from './impatient-fetch.js';

it('breaks off an answer of a provider that never ends, in one line or in many', async () => {
  const server = createServer((request, response) => {
    response.on('error', () => undefined);
    const part = Buffer.from(request.url === '/line' ? 'x'.repeat(65_536) : `${'x'.repeat(1_023)}\n`.repeat(64));
    const send = () => {
      while (!response.destroyed && response.write(part));
    };
    response.on('drain', send);
    send();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    for (const path of ['/line', '/lines']) {
      const response = await impatientFetch(5_000)(`${origin}${path}`);
      let read = 0;
      const reading = (async () => {
        for await (const chunk of response.body ?? []) read += chunk.length;
      })();
      await expect(reading).rejects.toBeInstanceOf(AnswerTooLarge);
      expect(read).toBeLessThanOrEqual(64 * 2 ** 20);
    }
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
