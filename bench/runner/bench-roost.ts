import { startTestServers, spawnRoost, temporaryFolder, type ApiClient } from '#lib/testing';
import { QUOTA_NAMES } from '#lib/contracts';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Options } from './bench.js';

/** A Roost as a user starts it, in processes of its own with its own PostgreSQL and NATS. */
export interface BenchRoost {
  /** Of the launcher; PostgreSQL, NATS and separate services are its children. */
  pid: number;
  url: string;
  apiKey: string;
  api: ApiClient;
  dataDir: string;
  /** Of the PostgreSQL that Roost runs on. */
  databaseUrl: string;
  natsUrl: string;
  /** From the launcher's start until ready, in ms, with a data folder that is made then. */
  startMs: number;
  stop(): Promise<void>;
}

/** What is measured is never the account's quotas. */
const NO_QUOTAS = Object.fromEntries(
  QUOTA_NAMES.map((name) => [`ROOST_QUOTA_${name.toUpperCase()}`, '1000000000000000']),
);

/**
 * Starts it with the rate limit and quotas out of the way and no provider's key: agents answer with the demo model, which takes
 * no time. `processes` on the command line gives every service a process of its own, as in production.
 */
export async function startBenchRoost(options: Options): Promise<BenchRoost> {
  // Only for its folder, which goes with the run however it ends.
  const servers = await startTestServers();
  const dataDir = temporaryFolder();
  try {
    const began = performance.now();
    const roost = await spawnRoost({
      dataDir,
      args: options.has('processes') ? ['--processes'] : [],
      env: {
        ROOST_RATE_LIMIT_PER_MINUTE: '1000000000',
        ...NO_QUOTAS,
        ...(options.text('node') ? { NODE_OPTIONS: options.text('node') } : {}),
      },
    });
    const startMs = performance.now() - began;
    return {
      pid: roost.pid,
      url: roost.url,
      apiKey: roost.apiKey,
      api: roost.api,
      dataDir,
      databaseUrl: roost.databaseUrl,
      natsUrl: natsUrlOf(dataDir),
      startMs,
      async stop() {
        await roost.stop();
        await servers.stop();
      },
    };
  } catch (error) {
    await servers.stop();
    throw error;
  }
}

/** Makes agents that are ready to answer and gives their ids. */
export async function makeAgents({ api }: BenchRoost, count: number): Promise<string[]> {
  const ids: string[] = [];
  const make = async () => {
    while (ids.length < count) {
      const index = ids.push('') - 1;
      const { status, body } = await api<{ id: string }>('POST', '/v1/agent/create', { name: `bench-${index}` });
      if (status !== 201) throw new Error(`an agent could not be made: ${status} ${JSON.stringify(body)}`);
      ids[index] = body.id;
    }
  };
  await Promise.all(Array.from({ length: 8 }, make));
  return ids;
}

/** The bus account's seed, for a bench that must ask as a service. */
export function accountSeedOf(dataDir: string): string {
  const trust = JSON.parse(readFileSync(join(dataDir, 'nats', 'trust.json'), 'utf8')) as {
    accounts: { seed: string }[];
  };
  return trust.accounts[0]?.seed ?? '';
}

function natsUrlOf(dataDir: string): string {
  const settings = readFileSync(join(dataDir, 'nats', 'nats-server.conf'), 'utf8');
  return `nats://${/^listen: "([^"]+)"/m.exec(settings)?.[1]}`;
}
