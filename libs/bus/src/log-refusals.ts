import type { Logger } from '#lib/observability';
import { errors, type NatsConnection } from '@nats-io/transport-node';

/** At most so many subjects are logged between two connections; replies have one each. */
const MAX_LOGGED = 100;

/**
 * Logs what the server does not let this service do: once per subject until it connects anew. The client by itself
 * reports no refused hint or answer. Ends with the connection.
 */
export async function logRefusals(connection: NatsConnection, service: string, logger: Logger): Promise<void> {
  const logged = new Set<string>();
  for await (const status of connection.status()) {
    if (status.type === 'reconnect') logged.clear();
    if (status.type !== 'error' || !(status.error instanceof errors.PermissionViolationError)) continue;
    const { operation, subject } = status.error;
    if (logged.has(`${operation} ${subject}`) || logged.size >= MAX_LOGGED) continue;
    logged.add(`${operation} ${subject}`);
    logger.error(
      { operation, subject },
      `the bus does not let ${service} ${operation === 'publish' ? 'publish to' : 'subscribe to'} ${subject}: its ` +
        'credentials were made by another version of Roost or for another service; make them anew, see "Bus credentials" in docs/operations.md',
    );
  }
}
