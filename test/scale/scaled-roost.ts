import { QUOTA_NAMES } from '#lib/contracts';
import { type SpawnedRoost, spawnRoost } from '#lib/testing';
import { lockDataFolder, type Postgres, services, startPostgres } from '#tools/launcher';
import pg from 'pg';

/** Where every endpoint's webhooks go: it has to be the same each time, since it is written in the rows. */
export const RECEIVER_PORT = 39_471;
export const RECEIVER_URL = `http://127.0.0.1:${RECEIVER_PORT}/hook`;

/** Migrations of a million rows, on a machine that does other things. */
const READY_MS = 600_000;

/** What is measured is never the account's quotas. */
const environment = {
  ROOST_RATE_LIMIT_PER_MINUTE: '1000000000',
  ROOST_DEFAULT_MODEL: 'demo',
  ROOST_WEBHOOK_NETWORK: 'local',
  ...Object.fromEntries(QUOTA_NAMES.map((name) => [`ROOST_QUOTA_${name.toUpperCase()}`, '1000000000000000'])),
};

/** Roost on a data folder, as a user starts it with a process per service, `replicas` of each but the gateway; 0: all services in one. */
export function startScaled(
  dataDir: string,
  { replicas = 1, env = {} }: { replicas?: number; env?: Record<string, string> } = {},
): Promise<SpawnedRoost> {
  const counts = services
    .filter(({ name }) => name !== 'gateway')
    .flatMap(({ name }) => ['--replicas', `${name}=${replicas}`]);
  return spawnRoost({
    dataDir,
    args: replicas === 0 ? [] : ['--processes', ...counts],
    env: { ...environment, ...env },
    readyTimeoutMs: READY_MS,
  });
}

/** The PostgreSQL of a data folder alone, as Roost would start it. */
export async function withPostgres<T>(dataDir: string, work: (url: string) => Promise<T>): Promise<T> {
  const lock = lockDataFolder(dataDir, '');
  let postgres: Postgres | undefined;
  try {
    postgres = await startPostgres({ dataDir, log: () => undefined });
    return await work(postgres.url);
  } finally {
    await postgres?.stop();
    lock.release();
  }
}

export async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
