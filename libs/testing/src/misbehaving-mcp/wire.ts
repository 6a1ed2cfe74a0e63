import type { IncomingMessage } from 'node:http';

export interface RpcRequest {
  method: string;
  id?: string | number;
  params?: Record<string, unknown>;
}

export async function readMessage(request: IncomingMessage): Promise<RpcRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString()) as RpcRequest;
}

export function headerOf(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** The specification's MUST for a POST: https://modelcontextprotocol.io/specification/2025-06-18/basic/transports */
export function acceptsBoth(request: IncomingMessage): boolean {
  const accept = headerOf(request, 'accept') ?? '';
  return accept.includes('application/json') && accept.includes('text/event-stream');
}

export const toolOf = ({ method, params }: RpcRequest) =>
  method === 'tools/call' ? (params?.['name'] as string | undefined) : undefined;

export const result = (id: string | number | null, value: object) => ({ jsonrpc: '2.0', id, result: value });

export const failed = (id: string | number | null, message: string) =>
  JSON.stringify({ jsonrpc: '2.0', id, error: { code: -32_000, message } });

export const event = (data: object, id?: string) =>
  `${id === undefined ? '' : `id: ${id}\n`}event: message\ndata: ${JSON.stringify(data)}\n\n`;
