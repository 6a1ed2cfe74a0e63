import { randomBytes } from 'node:crypto';
import type { WebSocket } from 'ws';
import type { BotApplication } from './world.js';

const MOST_KEPT = 5_000;

/** What the gateway remembers of one identified client; it outlives its socket, so that a resume can replay. */
export class GatewaySession {
  readonly id = randomBytes(16).toString('hex');
  socket: WebSocket | undefined;
  sequence = 0;
  private readonly events: { s: number; t: string; d: unknown }[] = [];

  constructor(
    readonly bot: BotApplication,
    readonly intents: number,
    readonly shard: [number, number],
  ) {}

  dispatch(t: string, d: unknown): void {
    const event = { s: ++this.sequence, t, d };
    this.events.push(event);
    if (this.events.length > MOST_KEPT) this.events.shift();
    this.deliver(event);
  }

  replay(after: number): void {
    for (const event of this.events.filter(({ s }) => s > after)) this.deliver(event);
  }

  /** The same event again, with its old sequence number: a client must not act twice. */
  repeatLast(t: string): void {
    const last = this.events.findLast((event) => event.t === t);
    if (last) this.deliver(last);
  }

  /** Delivers the message again, however long ago it was. */
  repeatMessage(id: string): void {
    const event = this.events.find(({ t, d }) => t === 'MESSAGE_CREATE' && (d as { id: string }).id === id);
    if (event) this.deliver(event);
  }

  private deliver(event: { s: number; t: string; d: unknown }): void {
    if (this.socket?.readyState === 1) this.socket.send(JSON.stringify({ op: 0, ...event }));
  }
}
