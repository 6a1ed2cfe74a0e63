import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { type BenchRoost, makeAgents, startBenchRoost } from './runner/bench-roost.js';
import type { Figure, Options } from './runner/bench.js';
import { callSideBySide } from './runner/callers.js';
import { authorization, exchange } from './runner/exchange.js';
import { quantile } from './runner/quantile.js';

export const name = 'suspended';

const POLL_MS = 500;
const GOAL_MS = 50;

/**
 * Turns that wait for a person, each suspended by the real way: a message, a model's call of a tool, and permissions that
 * ask. What they cost while they wait: claimed turns, sandboxes awake, the answers of another agent, and how long lists of
 * approvals take. Options: turns=10000, agents=20, requests=200.
 */
export async function run(options: Options): Promise<Figure[]> {
  const turns = options.number('turns', 10_000);
  const requests = options.number('requests', 200);
  const roost = await startBenchRoost(options);
  const database = new pg.Client({ connectionString: roost.databaseUrl });
  try {
    await database.connect();
    const [free = '', ...asking] = await makeAgents(roost, options.number('agents', 20) + 1);
    const permissions = { rules: [{ tool: 'bash', action: 'ask' }] };
    for (const id of asking) await roost.api('POST', `/v1/agent/update/${id}`, { configuration: { permissions } });
    const before = await answers(roost, free, requests);
    const began = performance.now();
    let sent = 0;
    await callSideBySide({ ...target(roost, 4), count: turns }, async (caller) => {
      const n = sent++;
      const path = `/v1/agent/${asking[n % asking.length]}/messages`;
      const { status, body } = await caller.post(path, { content: 'run: true', conversation_id: `c-${n}` });
      if (status !== 201) throw new Error(`a message was not accepted: ${status} ${body}`);
    });
    await reaches(turns, () => count(database, `SELECT count(*) FROM messaging.approvals WHERE status = 'pending'`));
    const suspendedSeconds = (performance.now() - began) / 1_000;
    await reaches(0, () => count(database, `SELECT count(*) FROM messaging.turns WHERE state = 'running'`));
    const { body } = await roost.api<{ quotas: { name: string; used: number | null }[] }>('GET', '/v1/account/quotas');
    const awake = body.quotas.find(({ name: of }) => of === 'awake_workspaces')?.used ?? -1;
    const newest = await listed(roost, requests, '/v1/approvals?status=pending&limit=100');
    const ofAgent = await listed(roost, requests, `/v1/approvals?status=pending&limit=100&agent_id=${asking[0]}`);
    const during = await answers(roost, free, requests);
    return [
      { what: 'turns suspended', value: turns, unit: '' },
      { what: 'suspended a second', value: turns / suspendedSeconds, unit: '/s' },
      { what: 'turns claimed while they wait', value: 0, unit: '', atMost: 0 },
      { what: 'sandboxes awake', value: awake, unit: '', atMost: 0 },
      { what: 'list of 100, p50', value: quantile(newest, 0.5), unit: 'ms', atMost: GOAL_MS },
      { what: 'list of 100, p99', value: quantile(newest, 0.99), unit: 'ms' },
      { what: 'list of 100 of one agent, p50', value: quantile(ofAgent, 0.5), unit: 'ms', atMost: GOAL_MS },
      { what: 'another agent answers, before, p50', value: quantile(before, 0.5), unit: 'ms' },
      { what: 'another agent answers, meanwhile, p50', value: quantile(during, 0.5), unit: 'ms' },
    ];
  } finally {
    await database.end();
    await roost.stop();
  }
}

const target = (roost: BenchRoost, callers: number) => ({ url: roost.url, headers: authorization(roost), callers });

async function answers(roost: BenchRoost, agentId: string, requests: number): Promise<number[]> {
  const times: number[] = [];
  await callSideBySide({ ...target(roost, 1), count: requests }, async (caller) => {
    const { acceptMs, replyMs } = await exchange(caller, agentId, 'hello');
    times.push(acceptMs + replyMs);
  });
  return times;
}

async function listed(roost: BenchRoost, requests: number, path: string): Promise<number[]> {
  const { times } = await callSideBySide({ ...target(roost, 1), count: requests }, async (caller) => {
    const { status, body } = await caller.get(path);
    if (status !== 200) throw new Error(`GET ${path} gave ${status} ${body}`);
  });
  return times;
}

async function count(database: pg.Client, query: string): Promise<number> {
  const { rows } = await database.query<{ count: string }>(query);
  return Number(rows[0]?.count);
}

/** Errors: when nothing changes for a minute. */
async function reaches(wanted: number, counted: () => Promise<number>): Promise<void> {
  let [last, changedAt] = [await counted(), Date.now()];
  while (last !== wanted) {
    await sleep(POLL_MS);
    const now = await counted();
    if (now !== last) [last, changedAt] = [now, Date.now()];
    if (Date.now() - changedAt > 60_000) throw new Error(`${last} of ${wanted} turns came so far`);
  }
}
