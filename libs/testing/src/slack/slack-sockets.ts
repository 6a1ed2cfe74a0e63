import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';

interface Envelope {
  appToken: string;
  envelope_id: string;
  type: 'events_api' | 'slash_commands' | 'interactive';
  payload: unknown;
  retry_attempt: number;
}

/**
 * Socket Mode: https://docs.slack.dev/apis/events-api/using-socket-mode. What is not acknowledged is delivered again on
 * the next socket of the app, as Slack does.
 */
export class SlackSockets {
  private readonly server = new WebSocketServer({ noServer: true });
  private readonly tickets = new Map<string, string>();
  private readonly open = new Map<WebSocket, string>();
  private readonly waiting = new Map<string, Envelope>();
  /** Ids of acknowledged envelopes, in their order. */
  readonly acknowledged: string[] = [];
  /** How often sockets were opened. */
  opened = 0;

  ticket(appToken: string, origin: string): string {
    const ticket = randomUUID();
    this.tickets.set(ticket, appToken);
    return `${origin}/link/?ticket=${ticket}&app_id=A1`;
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const ticket = new URL(request.url ?? '', 'http://slack').searchParams.get('ticket') ?? '';
    const appToken = this.tickets.get(ticket);
    if (appToken === undefined) return void socket.end('HTTP/1.1 404 Not Found\r\n\r\n');
    this.tickets.delete(ticket);
    this.server.handleUpgrade(request, socket, head, (client) => this.connected(client, appToken));
  }

  private connected(client: WebSocket, appToken: string): void {
    this.opened += 1;
    this.open.set(client, appToken);
    client.on('close', () => this.open.delete(client));
    client.on('error', () => client.terminate());
    client.on('message', (data: Buffer) => {
      const { envelope_id: id } = JSON.parse(data.toString('utf8')) as { envelope_id: string };
      this.acknowledged.push(id);
      this.waiting.delete(id);
    });
    client.send(JSON.stringify({ type: 'hello', num_connections: 1, connection_info: { app_id: 'A1' } }));
    for (const envelope of this.waiting.values()) if (envelope.appToken === appToken) this.give(envelope);
  }

  /** Delivers to one of the app's sockets, now or when there is one. Gives the envelope's id. */
  send(appToken: string, type: Envelope['type'], payload: unknown): string {
    const envelope = { appToken, envelope_id: randomUUID(), type, payload, retry_attempt: 0 };
    this.waiting.set(envelope.envelope_id, envelope);
    this.give(envelope);
    return envelope.envelope_id;
  }

  private give(envelope: Envelope): void {
    const [client] = [...this.open].find(([, owner]) => owner === envelope.appToken) ?? [];
    if (!client) return;
    const { appToken: _, ...sent } = envelope;
    client.send(JSON.stringify({ ...sent, accepts_response_payload: false }));
    envelope.retry_attempt += 1;
  }

  countOf(appToken: string): number {
    return [...this.open.values()].filter((owner) => owner === appToken).length;
  }

  /** Asks for a new socket, as Slack does every few hours; the old one is closed by the app. */
  refresh(appToken: string): void {
    const notice = JSON.stringify({ type: 'disconnect', reason: 'refresh_requested', debug_info: { host: 'test' } });
    for (const [client, owner] of this.open) if (owner === appToken) client.send(notice);
  }

  /** Cuts sockets without a word. */
  drop(appToken: string): void {
    for (const [client, owner] of this.open) if (owner === appToken) client.terminate();
  }

  stop(): void {
    for (const client of this.open.keys()) client.terminate();
    this.server.close();
  }
}
