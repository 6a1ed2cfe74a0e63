import { LiveGauge } from '#lib/observability';
import type { NatsConnection } from '@nats-io/transport-node';

const connected = new LiveGauge('roost_nats_connected', 'Whether the service has its connection to NATS: 1 or 0');

/** Shows whether a service's connection is there. Returns the function that ends it. */
export function measureConnection(connection: NatsConnection, service: string): () => void {
  let isThere = true;
  void (async () => {
    for await (const { type } of connection.status()) {
      if (type === 'disconnect') isThere = false;
      if (type === 'reconnect') isThere = true;
    }
  })();
  return connected.measure(service, () => Promise.resolve(isThere && !connection.isClosed() ? 1 : 0));
}
