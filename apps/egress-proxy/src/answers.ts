import type { ServerResponse } from 'node:http';

/** Headers that concern one connection only (RFC 9110, 7.6.1). */
export const hopByHop = [
  'connection',
  'proxy-connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

/** An answer of the proxy itself, for a connection that no HTTP server of ours writes to. */
export function rawResponse(status: string, reason: string): string {
  const body = `Roost: ${reason}\n`;
  return `HTTP/1.1 ${status}\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`;
}

export function respond(response: ServerResponse, status: number, reason: string): void {
  response
    .writeHead(status, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' })
    .end(`Roost: ${reason}\n`);
}
