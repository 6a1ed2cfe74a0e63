import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect, it } from 'vitest';
import { EventStreams } from './event-streams.js';

const MEBIBYTE = 1024 * 1024;

it('cuts a reader that does not read, buffers little for it and sends it why', async () => {
  const streams = new EventStreams();
  let response: ServerResponse | undefined;
  const server = createServer((_, reply) => {
    response = reply;
    const stream = streams.start(reply, {});
    for (let n = 0; n < 1_000; n += 1) stream.send('text.delta', `id-${n}`, { text: 'x'.repeat(MEBIBYTE / 16) });
    expect(stream.isOpen).toBe(false);
    expect(reply.writableLength).toBeLessThan(2 * MEBIBYTE);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const reader = connect((server.address() as AddressInfo).port, '127.0.0.1');
  reader.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  let end = '';
  reader.on('data', (chunk) => (end = (end + chunk.toString('utf8')).slice(-1_000)));
  await once(reader, 'end');
  expect(end).toContain('event: stream.cut');
  expect(end).toContain('too_slow');
  expect(response?.writableFinished).toBe(true);
  reader.destroy();
  server.close();
});
