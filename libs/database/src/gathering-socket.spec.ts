import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { GatheringSocket } from './gathering-socket.js';

it('a gathering socket sends together what is written, corked, in one go', async () => {
  const packets: string[] = [];
  const server = createServer((peer) => peer.on('data', (data) => packets.push(String(data)))).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = new GatheringSocket();
  socket.connect((server.address() as AddressInfo).port, '127.0.0.1');
  await once(socket, 'connect');
  const say = (text: string) => {
    socket.cork();
    for (const letter of text) socket.write(letter);
    socket.uncork();
  };
  say('begin');
  say('first');
  expect(socket.writableCorked).toBe(1);
  await new Promise(setImmediate);
  expect(socket.writableCorked).toBe(0);
  socket.end();
  await once(socket, 'close');
  server.close();
  expect(packets).toEqual(['beginfirst']);
});
