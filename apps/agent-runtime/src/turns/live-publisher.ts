import type { Bus } from '#lib/bus';
import { serve } from '#lib/rpc';
import {
  type ClaimedTurn,
  encode,
  type LiveEvent,
  LiveEvent as LiveEventSchema,
  liveSubject,
  replayLive,
  subjectOf,
} from '#lib/contracts';
import type { Subscription } from '@nats-io/transport-node';
import { z } from 'zod';

const FLUSH_MS = 25;
const FLUSH_CHARS = 800;

/**
 * Publishes what happens in one turn while it happens. The first words go out as soon as those that came with them are here,
 * later ones gathered for a few milliseconds. Keeps it while the turn runs, for readers that come late; bounded by what one turn may say.
 * Not promised: that anybody receives it; durable events carry the result.
 */
export class LivePublisher {
  private seq = 0;
  private waiting = '';
  private timer: NodeJS.Timeout | undefined;
  private hasText = false;
  private readonly sent: LiveEvent[] = [];
  private readonly replaying: Subscription;

  constructor(
    private readonly bus: Bus,
    private readonly turn: Pick<ClaimedTurn, 'agentId' | 'turnId' | 'messages'>,
  ) {
    const { agentId, turnId } = turn;
    this.replaying = serve(
      bus.connection,
      replayLive,
      subjectOf(replayLive, { agentId }),
      (asked) => ({ events: merged(this.sent, asked.turnId === turnId ? asked.afterSeq : -1) }),
      () => undefined,
    );
  }

  /** Sends what still waits and answers late readers no more: from here on durable events report the turn. */
  end(): void {
    this.flush();
    this.replaying.unsubscribe();
  }

  restarted(): void {
    this.flush();
    this.send({ type: 'turn.restarted' });
  }

  text(delta: string): void {
    this.waiting += delta;
    if (this.waiting.length >= FLUSH_CHARS) this.flush();
    else if (!this.hasText) setImmediate(() => this.flush());
    else this.timer ??= setTimeout(() => this.flush(), FLUSH_MS);
    this.hasText = true;
  }

  toolCall(callId: string, name: string, input: unknown): void {
    this.flush();
    this.send({ type: 'tool.call', tool: { callId, name, input: asJson(input) } });
  }

  toolResult(callId: string, name: string, output: string, isError: boolean): void {
    this.flush();
    this.send({ type: 'tool.result', tool: { callId, name, output: output.slice(0, 10_000), isError } });
  }

  /** Sends what still waits; to be called before the turn's end is reported. */
  flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (!this.waiting) return;
    const text = this.waiting;
    this.waiting = '';
    this.send({ type: 'text.delta', text });
  }

  private send(event: Pick<LiveEvent, 'type' | 'text' | 'tool'>): void {
    const { agentId, turnId, messages } = this.turn;
    const live: LiveEvent = { ...event, agentId, turnId, messageId: messages.at(-1)?.id ?? '', seq: this.seq++ };
    this.sent.push(live);
    this.bus.signal(liveSubject(agentId), encode(LiveEventSchema, live));
  }
}

type Json = z.output<ReturnType<typeof z.json>>;

function asJson(value: unknown): Json {
  const text = JSON.stringify(value ?? null);
  return text.length > 20_000 ? `${text.slice(0, 20_000)}…` : (JSON.parse(text) as Json);
}

/** Events after `afterSeq`, with neighbouring texts joined. */
function merged(events: LiveEvent[], afterSeq: number): LiveEvent[] {
  const joined: LiveEvent[] = [];
  for (const event of events.filter(({ seq }) => seq > afterSeq)) {
    const last = joined.at(-1);
    if (last?.type === 'text.delta' && event.type === 'text.delta')
      joined[joined.length - 1] = { ...event, text: (last.text ?? '') + (event.text ?? '') };
    else joined.push(event);
  }
  return joined;
}
