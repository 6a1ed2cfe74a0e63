import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ownedFolder, removeFolder, type SpawnedRoost, spawnRoost, until } from '#lib/testing';
import pg from 'pg';
import { MessageFailedError, Roost } from '../../packages/sdk/src/index.js';
import type { FaultTargets } from '../ledger/fault-targets.js';
import { randomFrom } from '../ledger/random.js';
import { childProcesses } from '../ledger/roost/child-processes.js';
import { ANSWER_MS, LEASE_MS, SILENCE_SECONDS } from '../ledger/timing.js';
import { type Booked, compareBooks, type Comparison, type Kill } from './books.js';
import { CountingModel, MODELS } from './counting-model.js';

export interface UsageOptions {
  seed: number;
  /** Each is the only message of its conversation. */
  turns: number;
  /** Agents that run at once, each a message after the other. */
  agents: number;
  /** Part of the model's answers that fail. */
  failureRate: number;
  killEveryMs: number;
  log(line: string): void;
}

export interface UsageResult extends Comparison {
  /** By the report, and by a budget that holds for all of it. */
  report: { steps: number; input: number; output: number };
  budgetTokens: number;
  booked: { steps: number; input: number; output: number };
  told: { steps: number; input: number; output: number };
  requests: number;
  answered: number;
  failed: number;
  kills: Kill[];
  refusals: string[];
}

const RETRY_FOR_MS = 300_000;
/** Longer than a model may say nothing. */
const STILL_MS = (SILENCE_SECONDS + 1) * 1_000;

/**
 * Has agents answer while the model fails, and services of messaging and agent-runtime are killed with kill -9; then holds
 * Roost's books against the model's. Errors: Roost that did not start or did not come back.
 */
export async function runUsage(options: UsageOptions): Promise<UsageResult> {
  const folder = ownedFolder();
  const dataDir = join(folder, 'roost');
  mkdirSync(dataDir, { mode: 0o711 });
  const model = await CountingModel.start({ ...options, answerMs: ANSWER_MS, random: randomFrom(options.seed) });
  try {
    const spawnedAt = Date.now();
    const roost = await spawnRoost({
      dataDir,
      args: ['--replicas', 'messaging=2', '--replicas', 'agent-runtime=2'],
      env: {
        ...model.env,
        ROOST_MODEL_SILENCE_SECONDS: String(SILENCE_SECONDS),
        ROOST_MODEL_RETRY_MS: '100',
        ROOST_RETRY_BASE_MS: '200',
        ROOST_LEASE_MS: String(LEASE_MS),
        ROOST_RATE_LIMIT_PER_MINUTE: '1000000',
      },
    });
    try {
      // All services share the processors at this start: one alone takes less than half of it.
      const startMs = (Date.now() - spawnedAt) / 2;
      return await underKills(roost, childProcesses(roost.pid, dataDir), model, { ...options, startMs });
    } finally {
      await roost.stop();
    }
  } finally {
    await model.stop();
    await removeFolder(folder);
  }
}

async function underKills(
  roost: SpawnedRoost,
  targets: FaultTargets,
  model: CountingModel,
  options: UsageOptions & { startMs: number },
): Promise<UsageResult> {
  const client = new Roost({ url: roost.url, apiKey: roost.apiKey, retryForMs: RETRY_FOR_MS });
  const budget = await client.usage.budgets.create({ limit_tokens: 1_000_000_000, period: 'month' });
  let isOver = false;
  const killing = killNowAndThen(targets, () => isOver, options);
  const outcome = await askAll(client, options).finally(() => (isOver = true));
  const kills = await killing;
  const booked = await settledLedger(roost.databaseUrl, model);
  const { total } = await client.usage.report({ group_by: 'model' });
  return {
    ...compareBooks(model.told, booked, kills),
    ...outcome,
    report: { steps: total.steps, input: total.input_tokens, output: total.output_tokens },
    budgetTokens: (await client.usage.budgets.get(budget.id)).used_tokens ?? 0,
    booked: sumOf(booked),
    told: sumOf(model.told),
    requests: model.requests,
    kills,
    refusals: model.refusals,
  };
}

/** Kills one of two replicas, while the other goes on. Gives what was killed when. */
async function killNowAndThen(
  targets: FaultTargets,
  isOver: () => boolean,
  { seed, killEveryMs, startMs, log }: UsageOptions & { startMs: number },
): Promise<Kill[]> {
  const random = randomFrom(seed);
  const kills: Kill[] = [];
  while (!isOver()) {
    await sleep(killEveryMs * (0.5 + random.next()));
    const target = kills.length % 2 === 0 ? 'agent-runtime' : 'messaging';
    const victims = await targets.find(target);
    if (isOver() || victims.length < 2 || victims.some(({ ageMs }) => ageMs < startMs)) continue;
    const victim = random.pick(victims);
    kills.push({ target, at: Date.now() });
    await victim.kill();
    log(`kill -9 of ${target} (${victim.name})`);
  }
  return kills;
}

/** Sends every message and waits for what becomes of it. */
async function askAll(client: Roost, { turns, agents }: UsageOptions): Promise<{ answered: number; failed: number }> {
  const outcome = { answered: 0, failed: 0 };
  let next = 0;
  const talk = async (n: number) => {
    const model = MODELS[n % MODELS.length] ?? MODELS[0];
    const agent = await client.agents.create({ name: `counted-${n}`, configuration: { model } });
    while (next < turns) {
      const conversation = `c${next++}`;
      try {
        await agent.ask('How much does this take?', { conversation_id: conversation });
        outcome.answered += 1;
      } catch (error) {
        if (!(error instanceof MessageFailedError)) throw error;
        outcome.failed += 1;
      }
    }
  };
  await Promise.all(Array.from({ length: agents }, (_, n) => talk(n)));
  return outcome;
}

/** A worker that lost its turn to another may still come to the end of a call: until nothing is told or booked any more. */
async function settledLedger(databaseUrl: string, model: CountingModel): Promise<Booked[]> {
  let known = '';
  return until(
    'the books are still',
    async () => {
      const booked = await ledgerOf(databaseUrl);
      const now = `${model.requests} ${model.told.length} ${booked.length}`;
      const isStill = now === known;
      known = now;
      return isStill && booked;
    },
    { timeoutMs: 60_000, everyMs: STILL_MS },
  );
}

async function ledgerOf(databaseUrl: string): Promise<Booked[]> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query<Booked>(
      `SELECT input_tokens::int AS input, used_output_tokens::int AS output FROM lifecycle.balance_ledger
       WHERE reason = 'used' ORDER BY input_tokens`,
    );
    return rows;
  } finally {
    await client.end();
  }
}

export function sumOf(rows: Booked[]): UsageResult['booked'] {
  const sum = { steps: rows.length, input: 0, output: 0 };
  for (const { input, output } of rows) {
    sum.input += input;
    sum.output += output;
  }
  return sum;
}
