import pg from 'pg';
import { readFileSync, readdirSync } from 'node:fs';
import type { Figure, Options } from './runner/bench.js';
import { makeAgents, startBenchRoost } from './runner/bench-roost.js';
import { callSideBySide } from './runner/callers.js';
import { authorization } from './runner/exchange.js';
import { quantile } from './runner/quantile.js';

export const name = 'agents';

/**
 * What idle agents cost: processes, and the time of list and summary among them. Options: agents=1000, callers=4,
 * calls=2000.
 */
export async function run(options: Options): Promise<Figure[]> {
  const count = options.number('agents', 1_000);
  const callers = options.number('callers', 4);
  const calls = options.number('calls', 2_000);
  const roost = await startBenchRoost(options);
  const database = new pg.Pool({ connectionString: roost.databaseUrl, max: 1 });
  try {
    const [first] = await makeAgents(roost, 1);
    const processesBefore = programsBelow(roost.pid);
    const begin = performance.now();
    const agents = await makeAgents(roost, count - 1);
    const seconds = (performance.now() - begin) / 1_000;
    const target = { url: roost.url, headers: authorization(roost), callers, count: calls };
    const pages = Math.ceil(count / 20);
    let next = 0;
    const list = await callSideBySide(target, async (caller) =>
      assertOk(await caller.get(`/v1/agent/list?page=${(next++ % pages) + 1}&sort=${SORTS[next % SORTS.length]}`)),
    );
    const summary = await callSideBySide(target, async (caller) =>
      assertOk(await caller.get(`/v1/agent/${agents[next++ % agents.length] ?? first}/summary`)),
    );
    return [
      { what: 'agents made over HTTP', value: count / seconds, unit: '/s' },
      {
        what: `processes more for ${count} agents`,
        value: programsBelow(roost.pid) - processesBefore,
        unit: '',
        atMost: 0,
      },
      { what: 'list, p50', value: quantile(list.times, 0.5), unit: 'ms' },
      { what: 'list, p99', value: quantile(list.times, 0.99), unit: 'ms', atMost: 50 },
      { what: 'summary, p50', value: quantile(summary.times, 0.5), unit: 'ms' },
      { what: 'summary, p99', value: quantile(summary.times, 0.99), unit: 'ms', atMost: 50 },
      {
        what: 'orders of the list read from an index',
        value: await ordersByIndex(database),
        unit: `of ${SORTS.length}`,
        atLeast: SORTS.length,
      },
    ];
  } finally {
    await database.end();
    await roost.stop();
  }
}

const SORTS = ['created_at', 'updated_at', 'name'];

function assertOk({ status, body }: { status: number; body: string }): void {
  if (status !== 200) throw new Error(`${status} ${body}`);
}

/** Programs that descend from a process. PostgreSQL's backends are connections and no programs of an agent. */
function programsBelow(root: number): number {
  const parents = new Map<number, { parent: number; command: string }>();
  for (const entry of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const [, command = '', parent = '0'] =
        /\((.*)\) \S (\d+)/.exec(readFileSync(`/proc/${entry}/stat`, 'utf8')) ?? [];
      parents.set(Number(entry), { parent: Number(parent), command });
    } catch {
      continue; // ended while we looked
    }
  }
  const descends = (pid: number): boolean => {
    const parent = parents.get(pid)?.parent ?? 0;
    return parent === root || (parent > 1 && descends(parent));
  };
  return [...parents].filter(([pid, { command }]) => command !== 'postgres' && descends(pid)).length;
}

/** How many orders Postgres reads from an index instead of sorting an account's agents. */
async function ordersByIndex(database: pg.Pool): Promise<number> {
  await database.query('ANALYZE lifecycle.agents');
  let byIndex = 0;
  for (const sort of SORTS) {
    const { rows } = await database.query<{ 'QUERY PLAN': string }>(
      `EXPLAIN SELECT id, name FROM lifecycle.agents WHERE account_id = (SELECT account_id FROM lifecycle.agents LIMIT 1)
       ORDER BY ${sort} DESC, id DESC LIMIT 20`,
    );
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
    if (/Index (Only )?Scan Backward using agents_/.test(plan) && !/Sort/.test(plan)) byIndex += 1;
  }
  return byIndex;
}
