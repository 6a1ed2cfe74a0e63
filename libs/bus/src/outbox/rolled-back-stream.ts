import { EVENTS_STREAM, STREAM_GAP } from '#lib/contracts';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';

const AT_ONCE = 500;

/**
 * Where the stream ends before the place of a consumer, publishes empty messages up to that place: the numbers of what
 * was lost are given out again, and a consumer sees nothing before its place. Gives how many it published.
 * To be called after a loss of the stream's newest messages, before anything else is published.
 */
export async function passConsumers(connection: NatsConnection): Promise<number> {
  const manager = await jetstreamManager(connection, { checkAPI: false });
  const { state } = await manager.streams.info(EVENTS_STREAM);
  let furthest = state.last_seq;
  for await (const { delivered } of manager.consumers.list(EVENTS_STREAM))
    furthest = Math.max(furthest, delivered.stream_seq);
  const missing = furthest - state.last_seq;
  const js = jetstream(connection);
  for (let left = missing; left > 0; left -= AT_ONCE)
    await Promise.all(Array.from({ length: Math.min(left, AT_ONCE) }, () => js.publish(STREAM_GAP)));
  return missing;
}
