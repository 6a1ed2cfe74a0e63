import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { networkDelay } from '../network-delay.js';
import type { McpFault, OrderedFault, SeenRequest } from './fault.js';
import { LegacyStreams } from './legacy-streams.js';
import { acceptsBoth, event, failed, headerOf, readMessage, result, type RpcRequest, toolOf } from './wire.js';

/**
 * An MCP server that misbehaves on order, on the wire of the official SDK: Streamable HTTP under `/mcp` (sessions,
 * answers as streams), HTTP with SSE as older servers use it under `/sse`. Without an order it answers rightly, and
 * it refuses what the specification forbids a client.
 */
export class MisbehavingMcpServer {
  readonly seen: SeenRequest[] = [];
  /** Tools with their schemas; `echo` answers its `text`, any other its own name. */
  tools: Record<string, object> = { echo: { type: 'object', properties: { text: { type: 'string' } } } };
  private sessions = new Set<string>();
  private readonly faults: OrderedFault[] = [];
  /** Answers that a broken stream withheld, by the id of its last event. */
  private readonly answers = new Map<string, object>();
  private readonly refusedResumes = new Map<string, number | 'empty' | 'silent'>();
  private readonly streams = new Set<ServerResponse>();
  private readonly legacy = new LegacyStreams((request) => this.answer(request));

  private constructor(
    private server: Server,
    private port: number,
  ) {}

  static async start(): Promise<MisbehavingMcpServer> {
    const server = new MisbehavingMcpServer(createServer(), 0);
    await server.listen();
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/mcp`;
  }

  get legacyUrl(): string {
    return `http://127.0.0.1:${this.port}/sse`;
  }

  /** Orders one fault for the next request of a method or a tool; several come in their order. */
  next(on: string, fault: McpFault): void {
    this.faults.push({ on, fault });
  }

  count(method: string): number {
    return this.seen.filter((request) => request.method === method).length;
  }

  /** How many clients listen on a stream of their session. */
  get listeners(): number {
    return this.streams.size;
  }

  /** All sessions and streams end, as when the program is started anew. `pauseMs`: how long nobody listens. */
  async restart(pauseMs = 0): Promise<void> {
    await this.stop();
    this.sessions = new Set();
    this.answers.clear();
    if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    await this.listen();
  }

  /** Only the memory of the sessions goes; connections and streams stay. */
  forgetSessions(): void {
    this.sessions.clear();
  }

  toolsChanged(members: object = {}): void {
    const notification = { jsonrpc: '2.0', method: 'notifications/tools/list_changed', ...members };
    for (const stream of this.streams) stream.write(event(notification));
    this.legacy.notify(notification);
  }

  async stop(): Promise<void> {
    const { server } = this;
    this.streams.clear();
    this.legacy.end();
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  }

  private async listen(): Promise<void> {
    this.server = createServer((request, response) => {
      void networkDelay()
        .then(() => this.handle(request, response))
        .catch(() => response.destroy());
    });
    await new Promise<void>((resolve) => this.server.listen(this.port, '127.0.0.1', resolve));
    this.port = (this.server.address() as AddressInfo).port;
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    if (pathname !== '/mcp') return this.handleLegacy(request, response);
    const session = headerOf(request, 'mcp-session-id');
    if (request.method === 'GET') return this.openStream(request, response, session);
    if (request.method !== 'POST') return void response.writeHead(405).end();
    const message = await readMessage(request);
    this.see(request, { method: message.method, session });
    if (!acceptsBoth(request)) return void response.writeHead(406).end('Not Acceptable');
    const fault = this.take(message);
    if (fault?.kind === 'forget') {
      this.sessions.delete(session ?? '');
      return void response
        .writeHead(fault.status)
        .end(failed(message.id ?? null, fault.message ?? 'Session not found'));
    }
    if (message.method === 'initialize') return this.initialise(message, response, fault);
    if (!session) return void response.writeHead(400).end(failed(null, 'Bad Request: No valid session ID provided'));
    if (!this.sessions.has(session)) return void response.writeHead(404).end(failed(null, 'Session not found'));
    if (message.id === undefined) return void response.writeHead(202).end();
    await this.react({ ...message, id: message.id }, response, fault);
  }

  private initialise(message: RpcRequest, response: ServerResponse, fault: McpFault | undefined): Promise<void> | void {
    if (fault && fault.kind !== 'answer') return this.react({ ...message, id: message.id ?? 0 }, response, fault);
    const session = randomUUID();
    this.sessions.add(session);
    response.writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': session });
    response.end(JSON.stringify({ ...this.answer(message), ...fault?.members }));
  }

  private async react(
    message: RpcRequest & { id: string | number },
    response: ServerResponse,
    fault: McpFault | undefined,
  ): Promise<void> {
    const answer = this.answer(message);
    const stream = () => response.writeHead(200, { 'content-type': 'text/event-stream' });
    switch (fault?.kind) {
      case undefined:
        return void stream().end(event(answer));
      case 'status':
        return void response.writeHead(fault.status, fault.headers).end(fault.body ?? '');
      case 'reset':
        return void response.destroy();
      case 'accepted':
        return void response.writeHead(202).end();
      case 'stall':
        return void stream().write(': wait\n\n');
      case 'other-id':
        return void stream().end(event({ ...answer, id: 987_654 }));
      case 'late':
        await new Promise((resolve) => setTimeout(resolve, fault.ms));
        return void stream().end(event(answer));
      case 'garbage':
        return void response.writeHead(200, { 'content-type': 'application/json' }).end('<html>Bad Gateway</html>');
      case 'broken':
        return void response.writeHead(200, { 'content-type': 'application/json' }).end('{"jsonrpc":"2.0","id":');
      case 'huge':
        return void stream().end(event(result(message.id, { content: [text('x'.repeat(fault.bytes))] })));
      case 'answer':
        return void stream().end(event({ ...answer, ...fault.members }));
      case 'twice':
        return void stream().end(event(answer) + event(answer));
      case 'break':
      case 'cut':
      case 'lost':
        return this.breakOff(message, stream(), fault);
      case 'forget':
        return;
    }
  }

  private breakOff(
    message: RpcRequest & { id: string | number },
    stream: ServerResponse,
    fault: Extract<McpFault, { kind: 'break' | 'cut' | 'lost' }>,
  ): void {
    const id = randomUUID();
    const isResumable = fault.kind === 'lost' || fault.ids === true;
    if (isResumable) this.answers.set(id, this.answer(message));
    if (fault.kind === 'lost') this.refusedResumes.set(id, fault.resume);
    const retry = fault.kind !== 'lost' && fault.retryMs !== undefined ? `retry: ${fault.retryMs}\n` : '';
    stream.write(isResumable ? `${retry}id: ${id}\ndata: \n\n` : ': begun\n\n', () => {
      if (fault.kind === 'cut') stream.end();
      else stream.destroy();
    });
  }

  private openStream(request: IncomingMessage, response: ServerResponse, session: string | undefined): void {
    const lastEventId = headerOf(request, 'last-event-id');
    this.see(request, { method: 'GET', session, lastEventId });
    if (!session || !this.sessions.has(session)) return void response.writeHead(404).end();
    const refusal = lastEventId === undefined ? undefined : this.refusedResumes.get(lastEventId);
    if (refusal === 'silent') return;
    if (typeof refusal === 'number') return void response.writeHead(refusal).end();
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    if (refusal === 'empty') return void response.end();
    if (lastEventId !== undefined)
      return void response.end(event(this.answers.get(lastEventId) ?? {}, `${lastEventId}-1`));
    response.flushHeaders();
    this.streams.add(response);
    response.on('close', () => this.streams.delete(response));
  }

  private async handleLegacy(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method === 'GET') return this.legacy.open(response);
    const message = await readMessage(request);
    this.see(request, { method: message.method });
    this.legacy.post(request, response, message, this.take(message));
  }

  private see(
    request: IncomingMessage,
    { method, session, lastEventId }: Partial<SeenRequest> & { method: string },
  ): void {
    this.seen.push({ method, session, lastEventId, authorization: headerOf(request, 'authorization') });
  }

  private take(message: RpcRequest): McpFault | undefined {
    const index = this.faults.findIndex(({ on }) => on === message.method || on === toolOf(message));
    return index < 0 ? undefined : this.faults.splice(index, 1)[0]?.fault;
  }

  private answer(message: RpcRequest): object {
    const id = message.id ?? null;
    switch (message.method) {
      case 'initialize':
        return result(id, {
          protocolVersion: message.params?.['protocolVersion'] ?? '2025-06-18',
          capabilities: { tools: { listChanged: true } },
          serverInfo: { name: 'odd', version: '1' },
        });
      case 'tools/list':
        return result(id, {
          tools: Object.entries(this.tools).map(([name, inputSchema]) => ({ name, inputSchema })),
        });
      case 'tools/call': {
        const args = message.params?.['arguments'] as { text?: string } | undefined;
        return result(id, { content: [text(args?.text ?? toolOf(message) ?? '')] });
      }
      case 'ping':
        return result(id, {});
      default:
        return JSON.parse(failed(id, 'Method not found')) as object;
    }
  }
}

const text = (value: string) => ({ type: 'text', text: value });
