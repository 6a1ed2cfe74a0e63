import pg from 'pg';
import { type BenchRoost, makeAgents, startBenchRoost } from './runner/bench-roost.js';
import type { Figure, Options } from './runner/bench.js';
import { type Caller, callSideBySide } from './runner/callers.js';
import { authorization } from './runner/exchange.js';
import { fillRuns, type SampledRun } from './runner/fill-runs.js';
import { cpuTimes } from './runner/cpu-time.js';
import { quantile } from './runner/quantile.js';

export const name = 'runs';

const GOAL_MS = 50;
const DAY_MS = 86_400_000;

/**
 * Reads what agents did where there is much of it: lists of runs with every filter and deep cursors, single runs with all
 * that is known of them, and usage by day, over HTTP, each beside a second caller. A tenth of the runs are of one agent, and
 * agents are asked for as often as they have runs. Processor time is that of Roost and PostgreSQL for each call, which
 * says more on a machine that others use. Options: runs=1000000, agents=1000, requests=2000, callers=2.
 */
export async function run(options: Options): Promise<Figure[]> {
  const runs = options.number('runs', 1_000_000);
  const roost = await startBenchRoost(options);
  const database = new pg.Client({ connectionString: roost.databaseUrl });
  try {
    await database.connect();
    const agentIds = await makeAgents(roost, options.number('agents', 1_000));
    const begin = performance.now();
    const sample = await fillRuns(database, { agentIds, runs, sampleSize: 2_000 });
    const filledSeconds = (performance.now() - begin) / 1_000;
    const load = { count: options.number('requests', 2_000), callers: options.number('callers', 2) };
    const measured: Figure[] = [];
    for (const [what, pathOf] of requestsOn(sample)) {
      await measure(roost, { ...load, count: 200 }, pathOf);
      const before = cpuTimes(roost.pid).totalMs;
      const times = await measure(roost, load, pathOf);
      const spentMs = cpuTimes(roost.pid).totalMs - before;
      measured.push(
        { what: `${what}, p50`, value: quantile(times, 0.5), unit: 'ms' },
        { what: `${what}, p99`, value: quantile(times, 0.99), unit: 'ms', atMost: GOAL_MS },
        { what: `${what}, processor time`, value: spentMs / times.length, unit: 'ms' },
      );
    }
    return [
      { what: 'runs', value: runs, unit: '' },
      { what: 'of agents', value: agentIds.length, unit: '' },
      { what: 'filled in', value: filledSeconds, unit: 's' },
      ...measured,
    ];
  } finally {
    await database.end();
    await roost.stop();
  }
}

/** What is asked for, and by which path at the n-th time. */
function requestsOn(sample: SampledRun[]): [what: string, pathOf: (n: number) => string][] {
  const at = (n: number) => sample[n % sample.length] ?? { id: '', agentId: '', startedAt: new Date(0) };
  const list = (n: number, query: string) => `/v1/agent/${at(n).agentId}/runs${query}`;
  const day = (daysAgo: number) => new Date(Date.now() - daysAgo * DAY_MS).toISOString().slice(0, 10);
  const range = `from=${day(30)}&to=${day(-1)}`;
  return [
    ['list, newest 50', (n) => list(n, '')],
    ['list, failed ones', (n) => list(n, '?status=failed')],
    ['list, from a schedule, completed', (n) => list(n, '?status=completed&source=schedule')],
    ['list, before some run', (n) => list(n, `?before=${at(n).id}`)],
    ['list, of one day', (n) => list(n, `?to=${at(n).startedAt.toISOString()}&from=${dayBefore(at(n).startedAt)}`)],
    ['one run with its steps', (n) => list(n, `/${at(n).id}`)],
    ['usage by day, 30 days', () => `/v1/usage?group_by=day&${range}&timezone=Europe/Berlin`],
    ['usage by day, 80 days', () => `/v1/usage?group_by=day&from=${day(80)}&to=${day(-1)}`],
    ['usage by day of one agent', (n) => `/v1/usage?group_by=day&${range}&agent_id=${at(n).agentId}`],
  ];
}

const dayBefore = (at: Date) => new Date(at.getTime() - DAY_MS).toISOString();

/** How long each call took, in ms. Errors: an answer that is none. */
async function measure(
  roost: BenchRoost,
  { count, callers }: { count: number; callers: number },
  pathOf: (n: number) => string,
): Promise<number[]> {
  let next = 0;
  const target = { url: roost.url, headers: authorization(roost), callers, count };
  const { times } = await callSideBySide(target, async (caller: Caller) => {
    const path = pathOf(next++);
    const { status, body } = await caller.get(path);
    if (status !== 200) throw new Error(`GET ${path} gave ${status} ${body}`);
  });
  return times;
}
