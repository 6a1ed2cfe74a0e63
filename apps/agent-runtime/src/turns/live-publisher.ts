import { type LiveEvent, LiveEvent as LiveEventSchema, liveSubject, type ClaimedTurn } from '#lib/contracts';
import { z } from 'zod';
import type { Bus } from '#lib/bus';

const FLUSH_MS = 25;
const FLUSH_CHARS = 800;

/**
 * Tells what happens in one turn while it happens. The first words go out at once, later ones gathered for a few
 * milliseconds. Not promised: that anybody hears it; durable events carry the result.
 */
export class LivePublisher {
  private seq = 0;
  private waiting = '';
  private timer: NodeJS.Timeout | undefined;
  private hasSpoken = false;

  constructor(
    private readonly bus: Bus,
    private readonly turn: Pick<ClaimedTurn, 'agentId' | 'turnId' | 'messages'>,
  ) {}

  restarted(): void {
    this.send({ type: 'turn.restarted' });
  }

  text(delta: string): void {
    this.waiting += delta;
    if (!this.hasSpoken || this.waiting.length >= FLUSH_CHARS) this.flush();
    else this.timer ??= setTimeout(() => this.flush(), FLUSH_MS);
    this.hasSpoken = true;
  }

  toolCall(callId: string, name: string, input: unknown): void {
    this.flush();
    this.send({ type: 'tool.call', tool: { callId, name, input: asJson(input) } });
  }

  toolResult(callId: string, name: string, output: string, isError: boolean): void {
    this.flush();
    this.send({ type: 'tool.result', tool: { callId, name, output: output.slice(0, 10_000), isError } });
  }

  /** Sends what still waits; to be called once when the turn ends, however it ends. */
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
    this.bus.signal(liveSubject(agentId), z.encode(LiveEventSchema, live));
  }
}

type Json = z.output<ReturnType<typeof z.json>>;

function asJson(value: unknown): Json {
  const text = JSON.stringify(value ?? null);
  return text.length > 20_000 ? `${text.slice(0, 20_000)}…` : (JSON.parse(text) as Json);
}
