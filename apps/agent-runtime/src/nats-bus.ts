import { currentCall, ownCall, requestOverNats } from '#lib/bus/rpc';
import { connect, credsAuthenticator, type NatsConnection } from '@nats-io/transport-node';
import { existsSync, readFileSync } from 'node:fs';
import type { BusPort } from './bus-port.js';

/** The bus over one connection, which reconnects for as long as the process lives. */
export function natsBus(connection: NatsConnection): BusPort {
  return {
    request: (contract, input, context) => requestOverNats(connection, contract, input, context ?? currentCall() ?? ownCall('req_runtime')),
    publish: (subject, payload) => {
      // A hint or a delta is not worth an error: while the connection is down it is lost, as promised.
      if (!connection.isClosed()) connection.publish(subject, payload);
    },
    subscribe: (subject, onMessage, queue) => {
      const subscription = connection.subscribe(subject, {
        ...(queue ? { queue } : {}),
        callback: (error, message) => {
          if (!error) onMessage(message.string());
        },
      });
      return () => subscription.unsubscribe();
    },
  };
}

/** `creds`: the content of a .creds file or the path of one; empty for a server without authentication. */
export function connectBus(servers: string, creds: string | undefined, name: string): Promise<NatsConnection> {
  const text = creds && existsSync(creds) ? readFileSync(creds, 'utf8') : creds;
  return connect({
    servers,
    name,
    maxReconnectAttempts: -1,
    waitOnFirstConnect: false,
    ...(text ? { authenticator: credsAuthenticator(new TextEncoder().encode(text)) } : {}),
  });
}
