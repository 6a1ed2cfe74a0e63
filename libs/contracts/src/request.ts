import type { z } from 'zod';

/** The JetStream stream that keeps the events of all services. */
export const EVENTS_STREAM = 'EVENTS';
/** Subject of the empty messages that take the place of lost ones in that stream. */
export const STREAM_GAP = 'events.gap';

/** A NATS request: its subject, what goes in, what comes out, and how long a caller waits. */
export interface RequestContract<I extends z.ZodType = z.ZodType, O extends z.ZodType = z.ZodType> {
  /** May hold `{field}` of the input, e.g. `workspace.{agentId}.file.read`. */
  readonly subject: string;
  readonly input: I;
  readonly output: O;
  /** Milliseconds until the caller gets SERVICE_UNAVAILABLE, unless its own deadline comes first. */
  readonly timeoutMs: number;
}

/** What is written to the outbox in the transaction of its effect. Additive changes only. */
interface OutboxContract<P extends z.ZodType> {
  /** `events.<service>.<entity>.<past tense>`. */
  readonly subject: string;
  readonly payload: P;
  /** Version, sent along as `v`. */
  readonly v: number;
}

/** An event: published by the outbox relay to JetStream, consumed with an inbox row. */
export interface EventContract<P extends z.ZodType = z.ZodType> extends OutboxContract<P> {
  readonly isPublished: true;
}

/**
 * An event that is written down beside the others, in their order, and never published: no service acts on it, only
 * those who read an agent's events see it. Its outbox row is born with `published_at` at `NEVER_PUBLISHED`.
 */
export interface RecordedEventContract<P extends z.ZodType = z.ZodType> extends OutboxContract<P> {
  readonly isPublished: false;
}

export function request<I extends z.ZodType, O extends z.ZodType>(
  subject: string,
  contract: { input: I; output: O; timeoutMs?: number },
): RequestContract<I, O> {
  return { subject, timeoutMs: 10_000, ...contract };
}

export function event<P extends z.ZodType>(subject: string, payload: P, v = 1): EventContract<P> {
  return { subject: `events.${subject}`, payload, v, isPublished: true };
}

export function recordedEvent<P extends z.ZodType>(subject: string, payload: P, v = 1): RecordedEventContract<P> {
  return { subject: `events.${subject}`, payload, v, isPublished: false };
}

/** Fills `{field}` of a contract's subject from the input in the code's form. */
export function subjectOf(contract: { subject: string }, input: unknown): string {
  return contract.subject.replace(/\{(\w+)\}/g, (_, field: string) => {
    const value = (input as Record<string, unknown>)[field];
    if (typeof value !== 'string' || !/^[\w-]+$/.test(value)) {
      throw new TypeError(`subject ${contract.subject}: input has no usable ${field}`);
    }
    return value;
  });
}
