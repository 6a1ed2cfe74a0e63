import { type ClaimedTurn, encode, type getRunSteps, RunStep, RunUsage } from '#lib/contracts';
import type { Database } from '#lib/database';
import { z } from 'zod';

/** What is written of an attempt: its steps, and the sums of all its model calls. */
export interface AttemptRecord {
  steps: RunStep[];
  usage: RunUsage;
  /** Of the agent that it ran with; null where it did not come so far. */
  configurationVersion: number | null;
}

interface StoredAttempt {
  turn_id: string;
  session_id: string | null;
  configuration_version: number | null;
  steps: string;
}

const Steps = z.array(RunStep);
const Sums = z.record(z.string(), RunUsage);

/** Steps travel in one bus message: of a run with many long attempts the newest are shown. */
const MAX_STEPS_BYTES = 8_000_000;
const MAX_ATTEMPTS = 100;

type Turn = Pick<ClaimedTurn, 'turnId' | 'runId' | 'fencingToken' | 'accountId' | 'agentId'>;

/**
 * The SQL that writes an attempt's record, for a `WITH` clause of a statement that stores its turn's work: parameters from
 * $n on. The same attempt replaces what it wrote before.
 */
export const writeAttempt = (n: number, sessionId = 'NULL::uuid', from = '') => `
  INSERT INTO attempts AS known (run_id, turn_id, fencing_token, account_id, agent_id, session_id, steps, input_tokens,
    output_tokens, cached_input_tokens, reasoning_tokens, cost_nano_usd, configuration_version)
  SELECT $${n}::uuid, $${n + 1}::uuid, $${n + 2}::bigint, $${n + 3}::uuid, $${n + 4}::uuid, ${sessionId}, $${n + 5}::text,
    $${n + 6}::bigint, $${n + 7}::bigint, $${n + 8}::bigint, $${n + 9}::bigint, $${n + 10}::bigint,
    $${n + 11}::int ${from}
  ON CONFLICT (run_id, turn_id) DO UPDATE SET session_id = coalesce(excluded.session_id, known.session_id),
    steps = excluded.steps, input_tokens = excluded.input_tokens, output_tokens = excluded.output_tokens,
    cached_input_tokens = excluded.cached_input_tokens, reasoning_tokens = excluded.reasoning_tokens,
    cost_nano_usd = excluded.cost_nano_usd, configuration_version = excluded.configuration_version`;

export function attemptParameters(
  { runId, turnId, fencingToken, accountId, agentId }: Turn,
  { steps, usage, configurationVersion }: AttemptRecord,
): unknown[] {
  return [
    runId ?? turnId,
    turnId,
    fencingToken,
    accountId,
    agentId,
    JSON.stringify(encode(Steps, steps)),
    usage.inputTokens,
    usage.outputTokens,
    usage.cachedInputTokens,
    usage.reasoningTokens,
    usage.costUsd,
    configurationVersion,
  ];
}

const SUMS = `
  jsonb_build_object('input_tokens', sum(input_tokens), 'output_tokens', sum(output_tokens),
    'cached_input_tokens', sum(cached_input_tokens), 'reasoning_tokens', sum(reasoning_tokens),
    'cost_usd', CASE WHEN count(*) = count(cost_nano_usd) THEN ${usdOf('sum(cost_nano_usd)')} END)`;

/** Nano-USD as the wire's decimal text. */
function usdOf(nano: string): string {
  return `trim_scale(${nano} / 1000000000.0)::text`;
}

export class AttemptsRepository {
  constructor(private readonly database: Database) {}

  /** For what no other statement of the turn writes. */
  async keep(turn: Turn, record: AttemptRecord): Promise<void> {
    await this.database.query(writeAttempt(1), attemptParameters(turn, record));
  }

  async ofRun(
    accountId: string,
    { agentId, runId }: z.output<typeof getRunSteps.input>,
  ): Promise<z.output<typeof getRunSteps.output>> {
    const rows = await this.database.query<StoredAttempt>(STEPS, [runId, agentId, accountId]);
    const usage = await this.sums(accountId, agentId, [runId]);
    return {
      sessionId: rows.findLast(({ session_id }) => session_id !== null)?.session_id ?? null,
      configurationVersion: rows.at(-1)?.configuration_version ?? null,
      usage: usage[runId] ?? NOTHING,
      attempts: rows.map(({ turn_id, steps }) => ({ turnId: turn_id, steps: Steps.parse(JSON.parse(steps)) })),
    };
  }

  /** By run; those of which nothing is known are absent. */
  async sums(accountId: string, agentId: string, runIds: string[]): Promise<Record<string, RunUsage>> {
    const rows = await this.database.query<{ run_id: string; sums: unknown }>(SUMS_OF_RUNS, [
      runIds,
      agentId,
      accountId,
    ]);
    return Sums.parse(Object.fromEntries(rows.map(({ run_id, sums }) => [run_id, sums])));
  }
}

const NOTHING: RunUsage = {
  inputTokens: 0,
  outputTokens: 0,
  cachedInputTokens: 0,
  reasoningTokens: 0,
  costUsd: 0n,
};

export const SUMS_OF_RUNS = `
  SELECT run_id, ${SUMS} AS sums FROM attempts
  WHERE run_id = ANY($1::uuid[]) AND (agent_id, account_id) IS NOT DISTINCT FROM ($2::uuid, $3::uuid) GROUP BY run_id`;

export const STEPS = `
  SELECT turn_id, session_id, configuration_version, steps FROM (
    SELECT turn_id, session_id, configuration_version, steps, fencing_token, row_number() OVER newest AS n,
      sum(octet_length(steps)) OVER newest AS bytes
    FROM attempts WHERE run_id = $1::uuid AND (agent_id, account_id) IS NOT DISTINCT FROM ($2::uuid, $3::uuid)
    WINDOW newest AS (ORDER BY fencing_token DESC)
  ) counted WHERE n = 1 OR (n <= ${MAX_ATTEMPTS} AND bytes <= ${MAX_STEPS_BYTES}) ORDER BY fencing_token`;
