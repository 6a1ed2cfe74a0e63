import { accountCredentials, type BusAccount } from '#lib/nats-auth';
import { startNats } from '#tools/launcher';
import type { NatsConnection } from '@nats-io/transport-node';
import { connectAs } from './connect-as.js';

export interface OwnNats {
  /** As a user that may use the whole account. The caller closes it. */
  connect(): Promise<NatsConnection>;
  stop(): Promise<void>;
}

/** A NATS server of a test's own, with its store in `dataDir`: for what only a stop and another start can show. */
export async function ownNats(dataDir: string): Promise<OwnNats> {
  const nats = await startNats({ dataDir, log: () => undefined });
  const [account] = nats.accounts as [BusAccount];
  const creds = await accountCredentials(account.seed, 'test');
  return {
    connect: () => connectAs(creds, nats.url),
    stop: () => nats.stop(),
  };
}
