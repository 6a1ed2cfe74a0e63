import { EVENTS_STREAM } from '#lib/contracts';
import {
  JetStreamApiCodes,
  JetStreamApiError,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
  type JetStreamManager,
} from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';

const DAY_NS = 24 * 3600 * 1e9;

/**
 * Declares the EVENTS stream if it is not there and gives the time of its birth: a stream that is younger than
 * the last one we filled was lost and made anew, and wants filling again.
 */
export async function declareEventsStream(
  connection: NatsConnection,
  replicas = 1,
): Promise<{ manager: JetStreamManager; created: string }> {
  const manager = await jetstreamManager(connection, { checkAPI: false });
  const info = await manager.streams.info(EVENTS_STREAM).catch((error: unknown) => {
    if (!(error instanceof JetStreamApiError) || error.code !== JetStreamApiCodes.StreamNotFound) throw error;
    return manager.streams.add({
      name: EVENTS_STREAM,
      subjects: ['events.>'],
      retention: RetentionPolicy.Limits,
      storage: StorageType.File,
      num_replicas: replicas,
      max_age: 7 * DAY_NS,
      duplicate_window: 120 * 1e9,
    });
  });
  return { manager, created: info.created };
}
