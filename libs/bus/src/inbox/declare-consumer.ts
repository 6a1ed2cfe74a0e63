import { EVENTS_STREAM } from '#lib/contracts';
import {
  AckPolicy,
  type ConsumerInfo,
  DeliverPolicy,
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamManager,
} from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { declareEventsStream } from '../outbox/events-stream.js';

export interface ConsumerLimits {
  ack_wait: number;
  max_ack_pending: number;
  filter_subject: string;
}

/** Of a consumer that is there only to be deleted. */
const TO_BE_DELETED = 'to be deleted with the place that an earlier one left';

/**
 * Declares a service's durable consumer of the events, which begins at the stream's start where there was none.
 * What a server cannot read after a loss of power, a stream's description or a consumer's, it leaves on disk: the place
 * of a consumer outlives it, and one of that name would take it up and pass over what the new stream holds up to there.
 * Only a deletion removes it. Replicas may declare at once: what is delivered again to them, inboxes make harmless.
 */
export async function declareConsumer(
  connection: NatsConnection,
  service: string,
  limits: ConsumerLimits,
): Promise<void> {
  const { manager } = await declareEventsStream(connection);
  const consumer = {
    durable_name: service,
    ack_policy: AckPolicy.Explicit,
    deliver_policy: DeliverPolicy.All,
    max_deliver: -1,
    ...limits,
  };
  const there = await find(manager, service);
  if (!there || there.config.description === TO_BE_DELETED) {
    await manager.consumers.add(EVENTS_STREAM, { ...consumer, description: TO_BE_DELETED }).catch(refused);
    await manager.consumers.delete(EVENTS_STREAM, service).catch(refused);
  }
  await manager.consumers.add(EVENTS_STREAM, consumer).catch((error: unknown) => {
    refused(error);
    // Newer servers refuse to add one that is there with other limits, as an earlier version of Roost left it.
    return manager.consumers.update(EVENTS_STREAM, service, limits);
  });
}

function find(manager: JetStreamManager, service: string): Promise<ConsumerInfo | undefined> {
  return manager.consumers.info(EVENTS_STREAM, service).catch((error: unknown) => {
    if (isRefusal(error) && error.code === JetStreamApiCodes.ConsumerNotFound) return undefined;
    throw error;
  });
}

/** Another replica was quicker: it made the consumer, or deleted it. Errors: all that the server did not say. */
function refused(error: unknown): void {
  if (!isRefusal(error)) throw error;
}

const isRefusal = (error: unknown) => error instanceof JetStreamApiError;
