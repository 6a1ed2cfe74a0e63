import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Takes webhooks, in a process of its own, so that its work is nobody's share of the measured process. */
let left = 0;
const server = createServer((incoming, response) => {
  incoming.resume().on('end', () => {
    response.writeHead(204).end();
    left -= 1;
    if (left === 0) process.send?.('all');
  });
}).listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
process.on('message', (count) => (left = Number(count)));
process.once('disconnect', () => process.exit(0));
