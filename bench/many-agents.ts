import pg from 'pg';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Figure, Options } from './runner/bench.js';
import { makeAgents, startBenchRoost } from './runner/bench-roost.js';
import { callSideBySide } from './runner/callers.js';
import { authorization } from './runner/exchange.js';
import { quantile } from './runner/quantile.js';

export const name = 'many-agents';

/**
 * Many agents with one message waiting each, all sent at once: every one must be answered once, and none may wait
 * behind another for long. Options: agents=1000.
 */
export async function run(options: Options): Promise<Figure[]> {
  const count = options.number('agents', 1_000);
  const roost = await startBenchRoost(options);
  const database = new pg.Pool({ connectionString: roost.databaseUrl, max: 1 });
  try {
    const agents = await makeAgents(roost, count);
    let next = 0;
    const begin = performance.now();
    await callSideBySide({ url: roost.url, headers: authorization(roost), callers: 20, count }, async (caller) => {
      const sent = await caller.post(`/v1/agent/${agents[next++]}/messages`, { content: 'echo' });
      if (sent.status !== 201) throw new Error(`a message was not accepted: ${sent.status} ${sent.body}`);
    });
    const waits = await untilAnswered(database, count, 180_000);
    const seconds = (performance.now() - begin) / 1_000;
    await assertOneReplyEach(database, count);
    return [
      { what: 'agents answered', value: waits.length, unit: `of ${count}`, atLeast: count },
      { what: 'first message sent → last reply stored', value: seconds, unit: 's' },
      { what: 'turns', value: count / seconds, unit: '/s' },
      { what: 'a message waited, p50', value: quantile(waits, 0.5), unit: 'ms' },
      { what: 'a message waited, longest', value: Math.max(...waits), unit: 'ms' },
    ];
  } finally {
    await database.end();
    await roost.stop();
  }
}

/** How long each answered message waited, in ms. */
async function untilAnswered(database: pg.Pool, count: number, timeoutMs: number): Promise<number[]> {
  for (const deadline = Date.now() + timeoutMs; ;) {
    const { rows } = await database.query<{ ms: number }>(
      `SELECT extract(epoch FROM read_at - created_at)::float8 * 1000 AS ms FROM messaging.messages
       WHERE role = 'user' AND status = 'read'`,
    );
    if (rows.length === count || Date.now() > deadline) return rows.map(({ ms }) => ms);
    await sleep(50);
  }
}

async function assertOneReplyEach(database: pg.Pool, count: number): Promise<void> {
  const { rows } = await database.query<{ replies: number; agents: number }>(
    `SELECT count(*)::int AS replies, count(DISTINCT agent_id)::int AS agents FROM messaging.messages WHERE role = 'assistant'`,
  );
  if (rows[0]?.replies !== count || rows[0].agents !== count)
    throw new Error(`${count} messages have ${rows[0]?.replies} replies of ${rows[0]?.agents} agents`);
}
