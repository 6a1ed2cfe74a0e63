import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Takes webhooks, in a process of its own, so that its work is nobody's share of the measured process. */
const server = createServer((incoming, response) => {
  incoming.resume().on('end', () => response.writeHead(204).end());
}).listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
process.once('disconnect', () => process.exit(0));
