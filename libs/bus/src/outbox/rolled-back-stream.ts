import { EVENTS_STREAM, STREAM_GAP } from '#lib/contracts';
import { jetstream, JetStreamApiCodes, JetStreamApiError, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';

const AT_ONCE = 500;

/**
 * Where the stream ends before the place of a consumer, publishes empty messages up to that place: the numbers of what
 * was lost are given out again, and a consumer sees nothing before its place. Gives how many it published.
 * To be called after a loss of the stream's newest messages, before anything else is published; several may at once.
 */
export async function passConsumers(connection: NatsConnection): Promise<number> {
  const manager = await jetstreamManager(connection, { checkAPI: false });
  let furthest = 0;
  for await (const { delivered } of manager.consumers.list(EVENTS_STREAM))
    furthest = Math.max(furthest, delivered.stream_seq);
  for (let published = 0; ;) {
    const { state } = await manager.streams.info(EVENTS_STREAM);
    const missing = Math.min(furthest - state.last_seq, AT_ONCE);
    if (missing <= 0) return published;
    published += await extend(connection, state.last_seq, missing);
  }
}

/** Publishes so many after the last one, as long as nobody else publishes. Gives how many it published. */
async function extend(connection: NatsConnection, lastSequence: number, count: number): Promise<number> {
  const js = jetstream(connection);
  const answers = await Promise.allSettled(
    Array.from({ length: count }, (_, index) =>
      js.publish(STREAM_GAP, '', { expect: { lastSequence: lastSequence + index } }),
    ),
  );
  for (const answer of answers) if (answer.status === 'rejected' && !isOvertaken(answer.reason)) throw answer.reason;
  return answers.filter(({ status }) => status === 'fulfilled').length;
}

const isOvertaken = (error: unknown) =>
  error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamWrongLastSequence;
