import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { accountCredentials, type BusAccount, serviceCredentials, type ServiceName } from '#lib/nats-auth';
import { processIdentity } from '#tools/launcher';
import { connectAs } from './connect-as.js';
import { testServers } from './test-servers.js';

export interface FreshBus {
  url: string;
  /** Content of a `.creds` file of a user that may use the whole account, as no service may. */
  creds: string;
  /** Content of the `.creds` file of the service under test, for its NATS_CREDS: it may do what that service may. */
  serviceCreds: string;
  /** Secret of the account, for making workspace credentials. */
  accountSeed: string;
  /** Opens a connection with `creds`; the caller closes it. */
  connect(): Promise<NatsConnection>;
  /** Gives the account back; call it after every connection is closed. */
  release(): void;
}

const waitMs = 30_000;

/**
 * A NATS account of its own for a suite: no other suite's messages or streams are seen on it. Accounts are made before
 * the server starts (its resolver is a fixed list) and handed out in turn, emptied of streams. `service` is the one
 * that the suite runs, if it runs one by itself.
 */
export async function freshBus(service?: ServiceName): Promise<FreshBus> {
  const { natsUrl, accountsFile } = testServers();
  const accounts = JSON.parse(readFileSync(accountsFile, 'utf8')) as BusAccount[];
  const { account, lockFile } = await takeAccount(accounts);
  const creds = await accountCredentials(account.seed, 'test');
  const open = () => connectAs(creds, natsUrl);
  const connection = await open();
  try {
    await removeStreams(connection);
  } finally {
    await connection.close();
  }
  return {
    url: natsUrl,
    creds,
    serviceCreds: service ? await serviceCredentials(account.seed, service) : '',
    accountSeed: account.seed,
    connect: open,
    release: () => rmSync(lockFile, { force: true }),
  };
}

async function takeAccount(accounts: BusAccount[]): Promise<{ account: BusAccount; lockFile: string }> {
  for (const deadline = Date.now() + waitMs; Date.now() < deadline;) {
    for (const account of accounts) {
      const lockFile = join(testServers().folder, 'account-locks', account.name);
      if (tryLock(lockFile)) return { account, lockFile };
    }
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error(`all ${accounts.length} bus accounts are in use: does a suite forget release()?`);
}

/** The lock of a worker that ended without releasing it is taken over. */
function tryLock(lockFile: string): boolean {
  const isTaken = () => {
    try {
      writeFileSync(lockFile, `${process.pid} ${processIdentity(process.pid) ?? ''}`, { flag: 'wx' });
      return false;
    } catch {
      return true;
    }
  };
  if (!isTaken()) return true;
  try {
    const [pid = '', identity = ''] = readFileSync(lockFile, 'utf8').split(' ');
    if (identity === '' || processIdentity(Number(pid)) === identity) return false;
    rmSync(lockFile);
  } catch {
    return false; // released or taken over while we looked: the next round finds out
  }
  return !isTaken();
}

async function removeStreams(connection: NatsConnection): Promise<void> {
  const manager = await jetstreamManager(connection);
  for await (const stream of manager.streams.list()) await manager.streams.delete(stream.config.name);
}
