import { Bus } from '#lib/bus';
import type { CallContext } from '#lib/call-context';
import { encode, listAgentEvents, LiveEvent, replayLive, RoostError, Run } from '#lib/contracts';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentFeed, AgentListener } from './agent-feed.js';
import { type EventPosition, formatPosition } from './event-position.js';
import { type EventStream, MAX_UNREAD_BYTES } from './event-streams.js';
import { DeltaBuffer, type Seen } from './delta-buffer.js';
import type { FollowedRun } from './followed-run.js';

export interface Wanted {
  agentId: string;
  /** Only what concerns this message. */
  messageId?: string | undefined;
  /** Only what is of this run: the stream ends with it. */
  run?: FollowedRun;
  /** What the reader has seen. */
  from: EventPosition;
}

interface Payload {
  agent_id?: string;
  account_id?: string;
  turn_id?: string;
  run_id?: string;
  message_ids?: string[];
  messages?: { id: string }[];
  message?: { id: string; reply_to_id?: string | null };
  [key: string]: unknown;
}

const READ_AGAIN_MS = 15_000;
/** Less than events are kept: who has read all within it misses none, though the last one may be gone. */
const KEPT_MS = 23 * 3_600_000;
const PAUSE_MS = 1_000;

/**
 * Carries an agent's events to one reader. Durable events come from messaging's rows in their order, so none is
 * missing; what passes on the bus is only the hint to read. Deltas are passed on as they come; those that a running
 * turn sent before the reader came, or that the bus lost, are asked of its worker. Every id is where a reader resumes. The
 * events of one run are picked out of those of its agent, and followed by the end of the stream.
 */
export class FollowAgent implements AgentListener {
  private readonly deltas = new DeltaBuffer();
  private position: string | undefined;
  /** When it last had all there was, by `performance.now()`. */
  private readAllAt = -Infinity;
  private resumed: EventPosition['inside'];
  private working: Promise<void> | undefined;
  private readAgain = false;
  private timer: NodeJS.Timeout | undefined;
  private stopListening: () => void = () => undefined;

  constructor(
    private readonly bus: Bus,
    private readonly feed: AgentFeed,
    private readonly context: CallContext,
    private readonly stream: EventStream,
    private readonly wanted: Wanted,
  ) {
    this.position = wanted.from.eventId;
    this.resumed = wanted.from.inside;
  }

  start(): void {
    this.stream.begin(formatPosition(this.wanted.from));
    // Listening begins before the first read: what happens in between is kept back, not missed.
    this.stopListening = this.feed.listen(this.wanted.agentId, this);
    this.timer = setInterval(() => {
      this.wanted.run?.doubt();
      this.read();
    }, READ_AGAIN_MS).unref();
    const seen = this.resumed && { turnId: this.resumed.id, afterSeq: this.resumed.n };
    if (seen) this.deltas.seen(seen);
    this.working = this.catchUp()
      .then(() => (this.stream.isOpen ? this.replay(seen) : undefined))
      .finally(() => this.rest());
  }

  stop(): void {
    clearInterval(this.timer);
    this.stopListening();
  }

  onHint(): void {
    this.read();
  }

  onLive(event: LiveEvent, wire: unknown, bytes: number): void {
    if (!this.stream.isOpen) return;
    this.deltas.add(event, wire, bytes);
    // Its reader takes long for what came before: it resumes here, and is told what its turns said by their end.
    if (this.deltas.waitingBytes > MAX_UNREAD_BYTES) return this.stream.cut();
    // Its turn's start is a durable event on its way: sent first, so that a reader knows whose text this is.
    if (this.deltas.knows(event)) this.sendDeltas();
    else this.read();
  }

  /** Sends the durable events that came since; one read at a time, another one if asked for meanwhile. */
  private read(): void {
    this.readAgain = true;
    this.working ??= this.catchUp().finally(() => this.rest());
  }

  private rest(): void {
    this.working = undefined;
    if (!this.stream.isOpen) return;
    this.sendDeltas();
    // The start of a turn that was replayed may have come after the last read.
    if (this.readAgain || this.deltas.unknown.length > 0) this.read();
  }

  private async catchUp(): Promise<void> {
    do {
      this.readAgain = false;
      const turns = this.deltas.unknown;
      while (this.stream.isOpen && (await this.sendNextPage()));
      this.deltas.lookedFor(turns);
    } while (this.readAgain && this.stream.isOpen);
  }

  /** Returns whether there is more. While messaging is away the reader just waits; when the agent is gone it ends. */
  private async sendNextPage(): Promise<boolean> {
    const { agentId, run } = this.wanted;
    try {
      await run?.settle();
      const askedAt = performance.now();
      const found = await this.bus.request(
        listAgentEvents,
        {
          agentId,
          ...(this.position === undefined ? {} : { afterEventId: this.position }),
          limit: 100,
          fromStart: true,
          ...(run ? { runId: run.id } : {}),
        },
        { ...this.context, deadline: Date.now() + 10_000 },
      );
      if (!found.isKnown && askedAt - this.readAllAt > KEPT_MS)
        this.stream.send('stream.gap', undefined, {
          message: 'The event you resume from, or the run’s first, is not kept any more: some may be missing.',
        });
      // Events go in their order: where the one it is at is gone, the oldest that is kept is the next one.
      for (const event of found.events) this.send(event.subject, event.id, event.payload as Payload);
      if (!found.hasMore) this.readAllAt = askedAt;
      await this.stream.ready();
      const ended = run?.ended;
      const isBehind = ended && found.events.some(({ createdAt }) => createdAt > ended.endedAt);
      if (ended && (isBehind || !found.hasMore)) {
        this.stream.finish('run.ended', encode(Run, ended));
        return false;
      }
      return found.hasMore || (run?.isInDoubt ?? false);
    } catch (error) {
      const code = error instanceof RoostError ? error.code : undefined;
      if (code !== 'SERVICE_UNAVAILABLE') {
        if (code === 'NOT_FOUND') this.stream.finish('agent.deleted', { agent_id: agentId });
        else this.stream.end();
        return false;
      }
      await sleep(PAUSE_MS, undefined, { ref: false });
      return true;
    }
  }

  /** What the running turn, if there is one, has sent after `seen`, all of it without. */
  private async replay(seen: Seen | undefined): Promise<void> {
    const { agentId } = this.wanted;
    const { events } = await this.bus
      .request(replayLive, { agentId, afterSeq: -1, ...seen }, { ...this.context, deadline: Date.now() + 2_000 })
      .catch(() => ({ events: [] })); // no turn runs, or its worker is gone and another will send it anew
    this.deltas.replayed(events.map((event) => ({ event, wire: encode(LiveEvent, event), isReplay: true })));
  }

  private sendDeltas(): void {
    const { missing } = this.deltas;
    if (missing) {
      // While it reads it cannot ask: once it has read it comes here again.
      if (this.working) return;
      this.deltas.ask(missing);
      this.working = this.replay(missing).finally(() => this.rest());
      return;
    }
    for (const { event, wire } of this.deltas.take()) {
      const { messageId, run } = this.wanted;
      if (messageId && event.messageId !== messageId && !this.deltas.concerns(event.turnId, messageId)) continue;
      if (run && !run.hasTurn(event.turnId)) continue;
      const inside = { id: event.turnId, n: event.seq };
      this.stream.send(event.type, formatPosition({ eventId: this.position, inside }), wire);
    }
  }

  private send(subject: string, id: string, { account_id: _, ...payload }: Payload): void {
    const type = typeOf(subject);
    const { turn_id: turnId } = payload;
    // What a turn said goes before its end, also where its start was read only now, with the end.
    if (turnId && type !== 'turn.started') {
      this.sendDeltas();
      this.deltas.ended(turnId);
    }
    const before = this.position;
    this.position = id;
    const concerned = messagesOf(payload);
    if (turnId && type === 'turn.started') this.deltas.started(turnId, concerned);
    if (!this.isWanted(type, payload, concerned)) return;
    if (type === 'turn.started') this.sendDelivered(id, before, payload.agent_id, concerned);
    this.stream.send(type, id, payload);
  }

  private isWanted(type: string, { turn_id: turnId, run_id: runId }: Payload, concerned: string[]): boolean {
    const { messageId, run } = this.wanted;
    if (run) return run.concerns(type, turnId, runId);
    return messageId === undefined || concerned.includes(messageId);
  }

  /** Parts of one durable event: only its last part carries the event's own id, or a cut in between would lose the rest. */
  private sendDelivered(
    id: string,
    before: string | undefined,
    agentId: string | undefined,
    messageIds: string[],
  ): void {
    const firstNew = this.resumed?.id === id ? this.resumed.n + 1 : 0;
    messageIds.forEach((messageId, n) => {
      if (n < firstNew || (this.wanted.messageId && messageId !== this.wanted.messageId)) return;
      const position = formatPosition({ eventId: before, inside: { id, n } });
      this.stream.send('message.delivered', position, { agent_id: agentId, message_id: messageId });
    });
  }
}

function typeOf(subject: string): string {
  const type = subject.replace(/^events\.messaging\./, '');
  return type === 'agent.status-recorded' ? 'agent.status' : type;
}

function messagesOf({ message, messages = [], message_ids = [] }: Payload): string[] {
  const own = message ? [message.id, ...(message.reply_to_id ? [message.reply_to_id] : [])] : [];
  return [...own, ...message_ids, ...messages.map(({ id }) => id)];
}
