import type { LiveEvent } from '#lib/contracts';

export interface ReceivedEvent {
  event: LiveEvent;
  wire: unknown;
}

/** Deltas that late may still be on their way. */
const MAX_ENDED = 8;

/**
 * Puts the deltas of an agent's turns in order for one reader: in order, each once, after the start of their turn and
 * not after its end. They wait here until what came before them was sent.
 */
export class DeltaBuffer {
  private waiting: ReceivedEvent[] = [];
  /** Of what came since the last was taken. */
  private bytes = 0;
  private readonly messagesOf = new Map<string, string[]>();
  private latest: { turnId: string; seq: number } | undefined;
  private readonly endedTurns: string[] = [];
  private isReplayed = false;

  /** `bytes`: what the event takes. */
  add(event: LiveEvent, wire: unknown, bytes: number): void {
    this.waiting.push({ event, wire });
    this.bytes += bytes;
  }

  get waitingBytes(): number {
    return this.bytes;
  }

  /** The reader has seen this much of a turn already. */
  seen(turnId: string, seq: number): void {
    this.latest = { turnId, seq };
  }

  /** What was sent before the reader came goes before what came meanwhile. */
  replayed(events: ReceivedEvent[]): void {
    this.waiting = [...events, ...this.waiting];
    this.isReplayed = true;
  }

  started(turnId: string, messageIds: string[]): void {
    // An agent has one running turn: a worker that still talks of an earlier one has lost it.
    for (const earlier of this.messagesOf.keys()) this.ended(earlier);
    this.messagesOf.set(turnId, messageIds);
  }

  ended(turnId: string): void {
    this.messagesOf.delete(turnId);
    this.endedTurns.push(turnId);
    if (this.endedTurns.length > MAX_ENDED) this.endedTurns.shift();
  }

  concerns(turnId: string, messageId: string): boolean {
    return this.messagesOf.get(turnId)?.includes(messageId) ?? false;
  }

  /** Whether a delta can be sent at once. */
  maySend({ turnId }: LiveEvent): boolean {
    return this.isReplayed && (this.messagesOf.has(turnId) || this.latest?.turnId === turnId);
  }

  /** Takes what can be sent now. Before the replay nothing can: it would come before the begin of its own turn. */
  take(): ReceivedEvent[] {
    if (!this.isReplayed) return [];
    const taken = this.waiting.filter(({ event }) => this.isNew(event));
    this.waiting = [];
    this.bytes = 0;
    return taken;
  }

  private isNew({ turnId, seq }: LiveEvent): boolean {
    if (this.endedTurns.includes(turnId)) return false;
    if (this.latest?.turnId === turnId && seq <= this.latest.seq) return false;
    this.latest = { turnId, seq };
    return true;
  }
}
