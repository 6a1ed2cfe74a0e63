import { connect, credsAuthenticator, type NatsConnection } from '@nats-io/transport-node';

/** As long as `until` waits: on a full machine a connection may take longer than the client's own twenty seconds. */
const TIMEOUT_MS = 60_000;

/** A connection with the content of a `.creds` file. The caller closes it. */
export function connectAs(creds: string, url: string): Promise<NatsConnection> {
  const authenticator = credsAuthenticator(new TextEncoder().encode(creds));
  return connect({ servers: url, authenticator, timeout: TIMEOUT_MS });
}
