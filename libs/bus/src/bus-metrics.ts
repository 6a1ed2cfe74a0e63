import type { Database } from '#lib/database';
import { LiveGauge } from '#lib/observability';
import type { NatsConnection } from '@nats-io/transport-node';
import { measureClock } from './clock.js';

const connected = new LiveGauge('roost_nats_connected', 'Whether the service has its connection to NATS: 1 or 0');

/** Shows whether a service's connection is there, and its clock set. Returns the function that ends it. */
export function measureService(service: string, connection: NatsConnection, database?: Database): () => void {
  const ends = [measureConnection(connection, service), ...(database ? [measureClock(database, service)] : [])];
  return () => ends.forEach((end) => end());
}

function measureConnection(connection: NatsConnection, service: string): () => void {
  let isThere = true;
  void (async () => {
    for await (const { type } of connection.status()) {
      if (type === 'disconnect') isThere = false;
      if (type === 'reconnect') isThere = true;
    }
  })();
  return connected.measure(service, () => Promise.resolve(isThere && !connection.isClosed() ? 1 : 0));
}
