import { mkdtempSync, writeFileSync, chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { findBubblewrap, startNats, startPostgres } from '#tools/launcher';
import { clearLeftovers, ownedFolder, removeFolder } from './leftovers.js';

/** Suites that can be on the bus at once; each account costs the server a few kilobytes. */
const busAccounts = 32;

export interface TestServers {
  stop(): Promise<void>;
}

/**
 * Starts the servers that `freshDatabase`, `freshBus` and `startRoost` use and writes where they are into this
 * process's environment (`ROOST_TEST_…`), which child processes inherit. `isThrowaway`: the database waits for no disk, as
 * nothing that is measured may do.
 */
export async function startTestServers({ isThrowaway = false } = {}): Promise<TestServers> {
  await clearLeftovers();
  const folder = ownedFolder();
  const dataDir = join(folder, 'servers');
  mkdirSync(dataDir, { mode: 0o711 });
  const lines: string[] = [];
  const log = (line: string) => void lines.push(line);
  const accounts = Array.from({ length: busAccounts }, (_, index) => `TEST${index}`);
  const [postgres, nats, bubblewrap] = await Promise.allSettled([
    startPostgres({ dataDir, log, isThrowaway }),
    startNats({ dataDir, accounts, log }),
    findBubblewrap(log),
  ]);
  const stop = async () => {
    if (nats.status === 'fulfilled') await nats.value.stop();
    if (postgres.status === 'fulfilled') await postgres.value.stop();
    await removeFolder(folder);
  };
  const failed = [postgres, nats].find((outcome) => outcome.status === 'rejected');
  if (failed || postgres.status === 'rejected' || nats.status === 'rejected') {
    await stop();
    throw new Error(`the test servers did not start: ${String(failed?.reason)}\n${lines.join('\n')}`);
  }

  const accountsFile = join(folder, 'accounts.json');
  writeFileSync(accountsFile, JSON.stringify(nats.value.accounts), { mode: 0o600 });
  mkdirSync(join(folder, 'account-locks'));
  const environment = {
    ROOST_TEST_FOLDER: folder,
    ROOST_TEST_DATABASE_URL: postgres.value.url,
    ROOST_TEST_NATS_URL: nats.value.url,
    ROOST_TEST_NATS_ACCOUNTS_FILE: accountsFile,
    ROOST_TEST_BWRAP: (bubblewrap.status === 'fulfilled' && bubblewrap.value.path) || '',
  };
  Object.assign(process.env, environment);
  return {
    async stop() {
      for (const name of Object.keys(environment)) delete process.env[name];
      await stop();
    },
  };
}

export interface TestServersEnvironment {
  folder: string;
  databaseUrl: string;
  natsUrl: string;
  accountsFile: string;
  bubblewrapPath: string;
}

/** Where the running servers are. Throws when nobody started them. */
export function testServers(): TestServersEnvironment {
  const { env } = process;
  if (!env.ROOST_TEST_FOLDER || !env.ROOST_TEST_DATABASE_URL || !env.ROOST_TEST_NATS_URL) {
    throw new Error('no test servers: run under vitest (its globalSetup starts them) or call startTestServers() first');
  }
  return {
    folder: env.ROOST_TEST_FOLDER,
    databaseUrl: env.ROOST_TEST_DATABASE_URL,
    natsUrl: env.ROOST_TEST_NATS_URL,
    accountsFile: env.ROOST_TEST_NATS_ACCOUNTS_FILE ?? '',
    bubblewrapPath: env.ROOST_TEST_BWRAP ?? '',
  };
}

/** An empty folder that goes with the run, passable for PostgreSQL's user; fit to be a data folder. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(testServers().folder, 'data-'));
  chmodSync(folder, 0o711);
  return folder;
}
