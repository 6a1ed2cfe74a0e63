import { accountCredentials } from '#lib/nats-auth';
import { newAccount, spawnRoost, startTestServers, temporaryFolder } from '#lib/testing';
import { spawn } from 'node:child_process';
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { quantile } from '../../bench/runner/quantile.js';
import { beGood } from './good-account.js';
import type { Outcome } from './report.js';
import { watchProcesses } from './watch-processes.js';

const MAX_P99_MS = 2_000;
const MAX_RSS_BYTES = 1_000_000_000;
/** Before the good account begins, so that every attack is under way. */
const HEAD_START_MS = 5_000;

/**
 * Starts a Roost as `npm start` does, in processes of its own, and a hostile account in another beside a good one here.
 * The rate limit alone is raised, so that every attack gets past it. Everything stays on this machine.
 */
export async function runHostile({ seconds, isQuiet }: { seconds: number; isQuiet: boolean }): Promise<Outcome> {
  // Only for its folder, which goes with the run however it ends.
  const servers = await startTestServers();
  const dataDir = temporaryFolder();
  const env = { ROOST_RATE_LIMIT_PER_MINUTE: '10000', ROOST_DEFAULT_MODEL: 'demo' };
  const roost = await spawnRoost({ dataDir, env }).catch(async (error: unknown) => {
    await servers.stop();
    throw error;
  });
  try {
    const agent = await roost.api<{ id: string }>('POST', '/v1/agent/create', { name: 'good' });
    await beGood(roost.api, agent.body.id, 2);
    const bad = await newAccount({ url: roost.url, ...(await busAccess(dataDir)) });
    const endWatch = watchProcesses(roost.pid);
    const attack = isQuiet ? undefined : startAttack(roost.url, bad.apiKey, seconds + HEAD_START_MS / 1_000);
    await sleep(isQuiet ? 0 : HEAD_START_MS);
    const good = await beGood(roost.api, agent.body.id, seconds);
    const attacks = (await attack) ?? {};
    const { peakServicesBytes, ended } = endWatch();
    const answered = good.exchanges.toSorted((a, b) => b.answeredMs - a.answeredMs);
    const latencies = answered.map(({ answeredMs }) => answeredMs);
    const [p50, p99] = [quantile(latencies, 0.5), quantile(latencies, 0.99)];
    return {
      attacks,
      slowest: answered.slice(0, 3),
      checks: [
        {
          what: 'messages of the good account that were answered',
          measured: `${latencies.length} of ${good.sent}${good.failures[0] ? ` (${good.failures[0]})` : ''}`,
          goal: 'all',
          isMet: good.failures.length === 0,
        },
        { what: 'its latency, p50', measured: `${Math.round(p50)} ms`, goal: '', isMet: true },
        {
          what: 'its latency, p99',
          measured: `${Math.round(p99)} ms`,
          goal: `< ${MAX_P99_MS} ms`,
          isMet: p99 < MAX_P99_MS && latencies.length > 0,
        },
        {
          what: 'processes that ended: services, launcher, PostgreSQL, NATS',
          measured: ended.join(', ') || 'none',
          goal: 'none',
          isMet: ended.length === 0,
        },
        {
          what: 'memory of the services and the launcher together, at most (without PostgreSQL, NATS, sandboxes)',
          measured: `${Math.round(peakServicesBytes / 1e6)} MB`,
          goal: `< ${MAX_RSS_BYTES / 1e6} MB`,
          isMet: peakServicesBytes > 0 && peakServicesBytes < MAX_RSS_BYTES,
        },
      ],
    };
  } finally {
    await roost.stop();
    if (process.env['ROOST_HOSTILE_LOG'])
      copyFileSync(join(dataDir, 'logs', 'roost.log'), process.env['ROOST_HOSTILE_LOG']);
    await servers.stop();
  }
}

/** In a process of its own: what it costs to attack must not delay the good account's client. */
async function startAttack(url: string, apiKey: string, seconds: number): Promise<Outcome['attacks']> {
  const program = fileURLToPath(new URL('./attack-main.js', import.meta.url));
  const child = spawn(process.execPath, [program, url, String(seconds)], {
    env: { PATH: process.env['PATH'], HOSTILE_KEY: apiKey },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const end = () => child.kill('SIGKILL');
  process.once('exit', end);
  let output = '';
  for await (const chunk of child.stdout) output += String(chunk);
  process.off('exit', end);
  return output ? (JSON.parse(output) as Outcome['attacks']) : { 'the attacker': { crashed: 1 } };
}

async function busAccess(dataDir: string): Promise<{ natsUrl: string; natsCreds: string }> {
  const read = (...path: string[]) => readFileSync(join(dataDir, 'nats', ...path), 'utf8').trim();
  return {
    natsUrl: read('url'),
    natsCreds: await accountCredentials(read('credentials', 'account.seed'), 'hostile-run'),
  };
}
