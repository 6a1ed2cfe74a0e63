import { existsSync, readFileSync } from 'node:fs';
import { ConfigurationError } from '#lib/config';
import { serviceInboxPrefix } from '#lib/nats-auth';
import { credsAuthenticator } from '#lib/nats-auth/keys';
import type { Logger } from '#lib/observability';
import { errors, type NatsConnection, type NodeConnectionOptions } from '@nats-io/transport-node';
import { connectGathering } from './gathering-transport.js';

/**
 * An agent is created with 10 MiB of files in one request, as base64 or escaped text, and an event holds the messages and
 * replies of a turn. What the server does not take is refused by the client: an event would stay first in the outbox for
 * good, and hold up those of every account.
 */
const LARGEST_BYTES = 32_000_000;
/** Between two tries to connect, and at most as much again: the replicas of a service do not come back as one. */
const RECONNECT_MS = 250;
/** At most so many subjects are logged between two connections; replies have one each. */
const MAX_LOGGED = 100;

export interface BusOptions {
  NATS_URL: string;
  /** Content of a .creds file, or its path. */
  NATS_CREDS?: string | undefined;
}

/**
 * Connects to NATS and stays connected: a lost server is looked for without end, because the services
 * can do without it for a while and must come back by themselves. What the server refuses is logged.
 * Errors: ConfigurationError where the server does not take messages as large as ours.
 */
export async function connectBus(options: BusOptions, name: string, logger: Logger): Promise<NatsConnection> {
  const creds =
    options.NATS_CREDS && existsSync(options.NATS_CREDS)
      ? readFileSync(options.NATS_CREDS, 'utf8')
      : options.NATS_CREDS;
  const connection = await connectGathering({
    servers: options.NATS_URL.split(','),
    name: `roost-${name}`,
    inboxPrefix: serviceInboxPrefix(name),
    maxReconnectAttempts: -1,
    ...steadyReconnects(),
    waitOnFirstConnect: true,
    ignoreClusterUpdates: true,
    // A server that vanished silently (power, cable, a network that drops) closes no connection: it is given up
    // after two unanswered pings, at the third. The client's own two minutes would be six of failing requests.
    pingInterval: 20_000,
    // A stack trace taken before every request, for the few that fail, costs more than the request.
    noAsyncTraces: true,
    ...(creds ? { authenticator: credsAuthenticator(creds) } : {}),
  });
  const { max_payload: takes = 0 } = connection.info ?? {};
  if (takes < LARGEST_BYTES) {
    await connection.close();
    throw new ConfigurationError(
      `NATS_URL: the server takes messages of up to ${takes} bytes, and Roost's are larger; write max_payload: 32MB into its configuration and load it (nats-server --signal reload)`,
    );
  }
  void logRefusals(connection, name, logger);
  return connection;
}

/**
 * Spaces tries to connect by a clock that is never set. The client goes by the wall clock: one that was set back, as on a
 * machine that started with a wrong time, kept it from connecting again for as long as it had been ahead.
 */
function steadyReconnects(): Pick<NodeConnectionOptions, 'reconnectDelayHandler' | 'reconnectToServer'> {
  let nextAt = 0;
  return {
    // Whatever the wall clock says, the client may try now.
    reconnectDelayHandler: () => -Infinity,
    reconnectToServer: ([next]) => {
      const delay = Math.max(0, nextAt - performance.now());
      nextAt = performance.now() + delay + RECONNECT_MS * (1 + Math.random());
      return next ? { server: next, delay } : null;
    },
  };
}

/**
 * Logs what the server does not let this service do: once per subject until it connects anew. The client by itself
 * reports no refused hint or answer. Ends with the connection.
 */
async function logRefusals(connection: NatsConnection, service: string, logger: Logger): Promise<void> {
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
