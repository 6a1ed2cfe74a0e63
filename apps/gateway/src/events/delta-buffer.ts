import type { LiveEvent } from '#lib/contracts';

export interface ReceivedEvent {
  event: LiveEvent;
  wire: unknown;
  /** What it takes in memory, of what nobody asked for. */
  bytes?: number;
  /** Its worker sent it when asked for what follows what was seen: nothing is missing before it. */
  isReplay?: true;
}

/** How much of a turn a reader has. */
export interface Seen {
  turnId: string;
  afterSeq: number;
}

/** Deltas that late may still be on their way. */
const MAX_ENDED = 8;

/**
 * Puts the deltas of an agent's turns in order for one reader: in order, each once, after the start of their turn and
 * not after its end. They wait here until what came before them was sent.
 */
export class DeltaBuffer {
  private waiting: ReceivedEvent[] = [];
  private bytes = 0;
  private readonly messagesOf = new Map<string, string[]>();
  private latest: { turnId: string; seq: number } | undefined;
  private readonly endedTurns: string[] = [];
  private isReplayed = false;
  private asked: Seen | undefined;

  /** `bytes`: what the event takes. */
  add(event: LiveEvent, wire: unknown, bytes: number): void {
    this.waiting.push({ event, wire, bytes });
    this.bytes += bytes;
  }

  get waitingBytes(): number {
    return this.bytes;
  }

  /** The reader has seen this much of a turn already. */
  seen({ turnId, afterSeq }: Seen): void {
    this.latest = { turnId, seq: afterSeq };
  }

  /** What was sent before the reader came, or was lost on its way, goes before what came meanwhile. */
  replayed(events: ReceivedEvent[]): void {
    this.waiting = [...events, ...this.waiting];
    this.isReplayed = true;
  }

  /**
   * What is to be replayed when something before the next delta is missing, as the bus promises none of them. Each gap is
   * asked for once: its worker may be gone, and the rest is worth more than nothing.
   */
  get missing(): Seen | undefined {
    const next = this.isReplayed ? this.waiting.find(({ event }) => this.knows(event) && this.isNew(event)) : undefined;
    if (!next || next.isReplay) return undefined;
    const { turnId, seq } = next.event;
    const afterSeq = this.seqBefore(turnId);
    const isAsked = this.asked?.turnId === turnId && this.asked.afterSeq === afterSeq;
    return isAsked || seq === afterSeq + 1 ? undefined : { turnId, afterSeq };
  }

  /** Nothing is taken until it was replayed. */
  ask(missing: Seen): void {
    this.asked = missing;
    this.isReplayed = false;
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

  /** Whether the start of its turn was sent, or looked for. */
  knows({ turnId }: LiveEvent): boolean {
    return this.messagesOf.has(turnId) || this.latest?.turnId === turnId;
  }

  /** Turns of deltas that wait whose start is to be looked for. */
  get unknown(): string[] {
    const isUnknown = (event: LiveEvent) => !this.knows(event) && this.isNew(event);
    return this.waiting.filter(({ event }) => isUnknown(event)).map(({ event }) => event.turnId);
  }

  /** All durable events were read that had happened before these turns spoke: the reader began after their start. */
  lookedFor(turnIds: string[]): void {
    for (const id of turnIds) if (!this.messagesOf.has(id)) this.messagesOf.set(id, []);
  }

  /** Takes what can be sent now: nothing before the replay, and of no turn whose start may still come. */
  take(): ReceivedEvent[] {
    if (!this.isReplayed) return [];
    const taken: ReceivedEvent[] = [];
    const left: ReceivedEvent[] = [];
    for (const received of this.waiting) {
      if (!this.isNew(received.event)) continue;
      const isKnown = this.knows(received.event);
      (isKnown ? taken : left).push(received);
      if (isKnown) this.latest = received.event;
    }
    this.waiting = left;
    this.bytes = left.reduce((sum, { bytes = 0 }) => sum + bytes, 0);
    return taken;
  }

  private isNew({ turnId, seq }: LiveEvent): boolean {
    return !this.endedTurns.includes(turnId) && seq > this.seqBefore(turnId);
  }

  private seqBefore(turnId: string): number {
    return this.latest?.turnId === turnId ? this.latest.seq : -1;
  }
}
