import { existsSync, readFileSync } from 'node:fs';
import { serviceInboxPrefix } from '#lib/nats-auth';
import { credsAuthenticator } from '#lib/nats-auth/keys';
import type { Logger } from '#lib/observability';
import type { NatsConnection } from '@nats-io/transport-node';
import { connectGathering } from './gathering-transport.js';
import { logRefusals } from './log-refusals.js';

export interface BusOptions {
  NATS_URL: string;
  /** Content of a .creds file, or its path. */
  NATS_CREDS?: string | undefined;
}

/**
 * Connects to NATS and stays connected: a lost server is looked for without end, because the services
 * can do without it for a while and must come back by themselves. What the server refuses is logged.
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
    reconnectTimeWait: 250,
    reconnectJitter: 250,
    waitOnFirstConnect: true,
    ignoreClusterUpdates: true,
    // A server that vanished silently (power, cable, a network that drops) closes no connection: it is given up
    // after two unanswered pings, at the third. The client's own two minutes would be six of failing requests.
    pingInterval: 20_000,
    // A stack trace taken before every request, for the few that fail, costs more than the request.
    noAsyncTraces: true,
    ...(creds ? { authenticator: credsAuthenticator(creds) } : {}),
  });
  void logRefusals(connection, name, logger);
  return connection;
}
