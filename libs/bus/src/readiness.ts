import type { Database } from '#lib/database';
import type { NatsConnection } from '@nats-io/transport-node';
import { setTimeout as sleep } from 'node:timers/promises';

/** As long as the database may take. */
const BUS_WITHIN_MS = 1_500;

/**
 * Whether a service has what it needs by itself: its bus and its database answer, within 1.5 s. Whether other services
 * do is no part of it: one that is away would take with it all that can do without it.
 */
export async function isReady(connection: NatsConnection, database?: Database): Promise<boolean> {
  const bus = connection.rtt().then(
    () => true,
    () => false,
  );
  const answers = await Promise.all([
    Promise.race([bus, sleep(BUS_WITHIN_MS, false, { ref: false })]),
    database?.isUp() ?? true,
  ]);
  return answers.every(Boolean);
}
