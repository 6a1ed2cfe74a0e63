import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface SeenCall {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

/** What befalls a request; the last reaction is taken again when there are no more. */
export type Reaction = (response: ServerResponse, call: SeenCall) => void;

/** A server that is not well: proxies without their server, broken connections, odd answers. */
export async function scriptedServer(...reactions: Reaction[]) {
  const calls: SeenCall[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += String(chunk)));
    request.on('end', () => {
      const { method = '', url: path = '', headers } = request;
      const call = { method, path, headers, body };
      calls.push(call);
      reactions[Math.min(calls.length, reactions.length) - 1]?.(response, call);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

export const json =
  (status: number, body: unknown, headers: Record<string, string> = {}): Reaction =>
  (response) =>
    void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));

export const refusal = (status: number, code: string, headers: Record<string, string> = {}): Reaction =>
  json(
    status,
    {
      success: false,
      error: { code, message: `it is ${code}`, details: [] },
      meta: { request_id: 'req_1', timestamp: '' },
    },
    headers,
  );

export const hangUp: Reaction = (response) => void response.destroy();
