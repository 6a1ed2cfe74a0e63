import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { McpFault } from './fault.js';
import { event, failed, type RpcRequest } from './wire.js';

/** HTTP with SSE of the protocol's first version: one stream is the session, requests are posted beside it. */
export class LegacyStreams {
  private readonly streams = new Map<string, ServerResponse>();

  constructor(private readonly answer: (request: RpcRequest) => object) {}

  open(response: ServerResponse): void {
    const session = randomUUID();
    this.streams.set(session, response);
    response.on('close', () => this.streams.delete(session));
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(`event: endpoint\ndata: /messages?session=${session}\n\n`);
  }

  post(request: IncomingMessage, response: ServerResponse, message: RpcRequest, fault: McpFault | undefined): void {
    const session = new URL(request.url ?? '/', 'http://localhost').searchParams.get('session') ?? '';
    const stream = this.streams.get(session);
    if (fault?.kind === 'forget')
      return void response.writeHead(fault.status).end(failed(null, fault.message ?? 'Session not found'));
    if (!stream) return void response.writeHead(404).end('Session not found');
    if (fault?.kind === 'status') return void response.writeHead(fault.status, fault.headers).end(fault.body ?? '');
    response.writeHead(202).end('Accepted');
    if (fault?.kind === 'stall') return;
    if (fault?.kind === 'break') return void stream.destroy();
    if (fault?.kind === 'cut') return void stream.end();
    if (message.id !== undefined)
      stream.write(event({ ...this.answer(message), ...(fault?.kind === 'answer' ? fault.members : {}) }));
  }

  notify(notification: object): void {
    for (const stream of this.streams.values()) stream.write(event(notification));
  }

  end(): void {
    this.streams.clear();
  }
}
