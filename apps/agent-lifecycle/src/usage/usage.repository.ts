import { type UsageReport, UsageRow, type UsageSums } from '#lib/contracts';
import type { Database, Queries, Transaction } from '#lib/database';
import { inBatches, SWEEP_BATCH } from '#lib/sweeps';

/** All SQL of `usage_rollups` and `usage_state`, and of what is summed from `balance_ledger`. */

/** Most rows of a report: an account with more agents asks for one at a time. */
const MAX_ROWS = 10_000;

/** The columns that are summed, from a row of the ledger. */
const OF_LEDGER = `
  count(*) AS steps, sum(input_tokens) AS input_tokens, sum(used_output_tokens) AS output_tokens,
  sum(cached_input_tokens) AS cached_input_tokens, sum(cache_write_tokens) AS cache_write_tokens,
  sum(reasoning_tokens) AS reasoning_tokens, coalesce(sum(cost_nano_usd), 0) AS cost_nano_usd,
  count(*) FILTER (WHERE cost_nano_usd IS NULL) AS unpriced_steps`;

const QUARTER = `date_bin('15 minutes', created_at, 'epoch')`;
const DAY = `date_trunc('day', created_at, 'UTC')`;

/**
 * Adds the rows of `fresh` to the sums: of each account and agent by quarter hours, in all and by model and source, and of
 * each agent by days of UTC.
 */
const ADD = `
  INSERT INTO usage_rollups AS known (account_id, grain, starts_at, agent_id, model, source, steps, input_tokens,
    output_tokens, cached_input_tokens, cache_write_tokens, reasoning_tokens, cost_nano_usd, unpriced_steps)
  SELECT account_id, 'account_sum', ${QUARTER} AS starts_at, NULL::uuid, '', '', ${OF_LEDGER} FROM fresh
  GROUP BY account_id, starts_at
  UNION ALL
  SELECT account_id, 'account_quarter', ${QUARTER} AS starts_at, NULL, model, source, ${OF_LEDGER} FROM fresh
  GROUP BY account_id, starts_at, model, source
  UNION ALL
  SELECT account_id, 'agent_sum', ${QUARTER} AS starts_at, agent_id, '', '', ${OF_LEDGER} FROM fresh
  GROUP BY account_id, starts_at, agent_id
  UNION ALL
  SELECT account_id, 'agent_quarter', ${QUARTER} AS starts_at, agent_id, model, source, ${OF_LEDGER} FROM fresh
  GROUP BY account_id, starts_at, agent_id, model, source
  UNION ALL
  SELECT account_id, 'agent_day', ${DAY} AS starts_at, agent_id, model, source, ${OF_LEDGER} FROM fresh
  GROUP BY account_id, starts_at, agent_id, model, source
  ON CONFLICT (account_id, grain, starts_at, agent_id, model, source) DO UPDATE SET
    steps = known.steps + excluded.steps,
    input_tokens = known.input_tokens + excluded.input_tokens,
    output_tokens = known.output_tokens + excluded.output_tokens,
    cached_input_tokens = known.cached_input_tokens + excluded.cached_input_tokens,
    cache_write_tokens = known.cache_write_tokens + excluded.cache_write_tokens,
    reasoning_tokens = known.reasoning_tokens + excluded.reasoning_tokens,
    cost_nano_usd = known.cost_nano_usd + excluded.cost_nano_usd,
    unpriced_steps = known.unpriced_steps + excluded.unpriced_steps`;

/**
 * Sums what was debited since. Below the oldest transaction that still runs nothing can appear any more: each row is
 * summed once, however late its commit. Another process that sums at the same time is left alone.
 */
export async function sumUp(tx: Transaction): Promise<void> {
  // Locked before the rows are looked at: an agent's that `sumUpAgent` sums and deletes in between would count twice.
  const states = await tx.query(`SELECT id FROM usage_state FOR UPDATE SKIP LOCKED`);
  if (states.length === 0) return;
  await tx.query(`
    WITH bound AS MATERIALIZED (
      SELECT id, summed_below AS low, pg_snapshot_xmin(pg_current_snapshot()) AS high FROM usage_state
    ), fresh AS MATERIALIZED (
      SELECT l.* FROM bound CROSS JOIN balance_ledger l
      WHERE l.model IS NOT NULL AND l.xid >= bound.low AND l.xid < bound.high
    ), added AS (${ADD})
    UPDATE usage_state SET summed_below = bound.high FROM bound
    WHERE usage_state.id = bound.id AND bound.high > bound.low`);
}

/**
 * In a database that was restored on another server the count of transactions may begin anew, below what is noted: from
 * there on every row would look as summed, and every budget as made just now.
 */
export async function followRestoredServer(database: Database): Promise<void> {
  const [state] = await database.query<{ is_behind: boolean }>(
    `SELECT pg_snapshot_xmax(pg_current_snapshot()) < summed_below AS is_behind FROM usage_state`,
  );
  if (!state?.is_behind) return;
  await database.transaction(
    async (tx) => {
      await tx.query(
        `UPDATE balance_ledger SET xid = CASE WHEN xid >= state.summed_below THEN '1'::xid8 END
         FROM (SELECT summed_below FROM usage_state FOR UPDATE) state WHERE model IS NOT NULL AND xid IS NOT NULL`,
      );
      await tx.query(`UPDATE usage_state SET summed_below = '0'`);
      await tx.query(`UPDATE agents SET budgets_xid = NULL WHERE budgets_xid IS NOT NULL`);
    },
    { mayTakeLong: true },
  );
}

/** Before an agent's ledger goes with it. The caller holds the agent's lock, so that nothing is debited meanwhile. */
export async function sumUpAgent(tx: Transaction, agentId: string): Promise<void> {
  await tx.query(
    `WITH bound AS MATERIALIZED (
       SELECT summed_below AS low FROM usage_state FOR UPDATE
     ), fresh AS MATERIALIZED (
       SELECT l.* FROM bound CROSS JOIN balance_ledger l
       WHERE l.agent_id = $1 AND l.model IS NOT NULL AND l.xid >= bound.low
     ) ${ADD}`,
    [agentId],
  );
}

export async function deleteUsageOf(tx: Transaction, accountId: string): Promise<void> {
  await tx.query(`DELETE FROM usage_rollups WHERE account_id = $1`, [accountId]);
}

export async function sweepUsage(queries: Queries, days: number, signal?: AbortSignal): Promise<void> {
  const some = `
    DELETE FROM usage_rollups WHERE ctid = ANY(ARRAY(
      SELECT ctid FROM usage_rollups WHERE starts_at < now() - $1::int * interval '1 day' LIMIT ${SWEEP_BATCH})) RETURNING 1`;
  await inBatches(() => queries.query(some, [days]), signal);
}

export interface UsageRange {
  accountId: string;
  agentId: string | null;
  from: Date;
  to: Date;
  timezone: string;
}

/**
 * What is summed, with what is not yet: as of one moment. The latter is always few rows, which no other index may find: by
 * their time they would be all of a month. $1 account · $2 agent or null · $3, $4 from and to.
 */
const TAIL = `
  SELECT ${QUARTER} AS starts_at, agent_id, model, source, 1 AS steps, input_tokens, used_output_tokens AS output_tokens,
    cached_input_tokens, cache_write_tokens, reasoning_tokens, coalesce(cost_nano_usd, 0) AS cost_nano_usd,
    (cost_nano_usd IS NULL)::int AS unpriced_steps
  FROM (SELECT * FROM balance_ledger
    WHERE model IS NOT NULL AND xid >= (SELECT summed_below FROM usage_state WHERE id) OFFSET 0) ledger
  WHERE account_id = $1::uuid AND ($2::uuid IS NULL OR agent_id = $2) AND created_at >= $3::timestamptz AND created_at < $4::timestamptz`;

const SUMMED = `
  starts_at, agent_id, model, source, steps, input_tokens, output_tokens, cached_input_tokens, cache_write_tokens,
  reasoning_tokens, cost_nano_usd, unpriced_steps`;

/** `sum`: of all models and sources, of which each quarter hour may have many. */
type Grain = 'sum' | 'quarter';

const ofAccount = (grain: Grain) => `
  SELECT ${SUMMED} FROM usage_rollups
  WHERE account_id = $1::uuid AND grain = 'account_${grain}' AND $2::uuid IS NULL
    AND starts_at >= $3::timestamptz AND starts_at < $4::timestamptz
  UNION ALL ${TAIL}`;

const ofAgent = (grain: Grain) => `
  SELECT ${SUMMED} FROM usage_rollups
  WHERE agent_id = $2::uuid AND grain = 'agent_${grain}' AND account_id = $1::uuid
    AND starts_at >= $3::timestamptz AND starts_at < $4::timestamptz
  UNION ALL ${TAIL}`;

/** Whole days of UTC, and quarter hours at both ends. */
const BY_AGENT = `
  SELECT ${SUMMED} FROM (
    SELECT date_trunc('day', $3::timestamptz + interval '1 day' - interval '1 microsecond', 'UTC') AS first,
      date_trunc('day', $4::timestamptz, 'UTC') AS last
  ) days CROSS JOIN LATERAL (
    SELECT * FROM usage_rollups WHERE account_id = $1::uuid AND grain = 'agent_day' AND $2::uuid IS NULL
      AND starts_at >= days.first AND starts_at < days.last
    UNION ALL
    SELECT * FROM usage_rollups WHERE account_id = $1::uuid AND grain = 'agent_quarter' AND $2::uuid IS NULL
      AND starts_at >= $3::timestamptz AND starts_at < least(days.first, $4::timestamptz)
    UNION ALL
    SELECT * FROM usage_rollups WHERE account_id = $1::uuid AND grain = 'agent_quarter' AND $2::uuid IS NULL
      AND starts_at >= greatest(days.last, days.first) AND starts_at < $4::timestamptz
  ) parts
  UNION ALL ${TAIL}`;

const SUMS = `
  jsonb_build_object('steps', coalesce(sum(steps), 0), 'input_tokens', coalesce(sum(input_tokens), 0),
    'output_tokens', coalesce(sum(output_tokens), 0), 'cached_input_tokens', coalesce(sum(cached_input_tokens), 0),
    'cache_write_tokens', coalesce(sum(cache_write_tokens), 0), 'reasoning_tokens', coalesce(sum(reasoning_tokens), 0),
    'unpriced_steps', coalesce(sum(unpriced_steps), 0),
    'known_cost_usd', trim_scale(coalesce(sum(cost_nano_usd), 0) / 1000000000.0)::text,
    'cost_usd', CASE WHEN coalesce(sum(unpriced_steps), 0) = 0
      THEN trim_scale(coalesce(sum(cost_nano_usd), 0) / 1000000000.0)::text END)`;

const KEYS = {
  agent: 'agent_id',
  model: 'model',
  source: 'source',
  // $5 is the zone: a moment has one date in it, also where a clock shows an hour twice.
  day: '(starts_at AT TIME ZONE $5)::date',
};

const COUNTED = [
  'steps',
  'input_tokens',
  'output_tokens',
  'cached_input_tokens',
  'cache_write_tokens',
  'reasoning_tokens',
  'cost_nano_usd',
  'unpriced_steps',
];

/** The statement of a report: the sum of all first. That is summed from the rows, of which there are fewer than of parts. */
export function reportSql(groupBy: UsageReport['groupBy'], hasAgent: boolean): string {
  const grain = groupBy === 'day' ? 'sum' : 'quarter';
  const source = hasAgent ? ofAgent(grain) : groupBy === 'agent' ? BY_AGENT : ofAccount(grain);
  const order = groupBy === 'day' ? 'key' : 'sum(input_tokens + output_tokens) DESC, key';
  return `
    WITH used AS (${source}), keyed AS (
      SELECT ${KEYS[groupBy]} AS key, $5::text AS zone, ${COUNTED.map((each) => `sum(${each}) AS ${each}`).join(', ')}
      FROM used GROUP BY 1
    )
    SELECT key::text, ${SUMS} AS sums FROM keyed GROUP BY GROUPING SETS ((key), ())
    ORDER BY grouping(key) DESC, ${order} LIMIT ${MAX_ROWS + 1}`;
}

export async function reportOf(
  queries: Queries,
  groupBy: UsageReport['groupBy'],
  { accountId, agentId, from, to, timezone }: UsageRange,
): Promise<{ rows: UsageRow[]; total: UsageSums }> {
  const found = await queries.query<{ key: string | null; sums: object }>(reportSql(groupBy, agentId !== null), [
    accountId,
    agentId,
    from,
    to,
    timezone,
  ]);
  const field = { agent: 'agent_id', model: 'model', day: 'day', source: 'source' }[groupBy];
  const none = { agent_id: null, model: null, day: null, source: null };
  const [total, ...rows] = found.map(({ key, sums }) =>
    UsageRow.parse({ ...none, ...(key === null ? {} : { [field]: key }), ...sums }),
  );
  if (!total) throw new Error('a sum of no rows is a row');
  return { rows: rows.toSorted((a, b) => (groupBy === 'day' ? compare(a.day, b.day) : 0)), total };
}

const compare = (a: string | null, b: string | null) => ((a ?? '') < (b ?? '') ? -1 : 1);

/** Tokens and nano-USD that an account, or one of its agents, has used since an instant. */
export async function usedSince(
  queries: Pick<Database, 'query'>,
  { accountId, agentId, from }: Pick<UsageRange, 'accountId' | 'agentId' | 'from'>,
): Promise<{ tokens: bigint; nanoUsd: bigint }> {
  const [row] = await queries.query<{ tokens: string; nano: string }>(
    `SELECT coalesce(sum(input_tokens + output_tokens), 0) AS tokens, coalesce(sum(cost_nano_usd), 0) AS nano
     FROM (${agentId === null ? ofAccount('sum') : ofAgent('sum')}) used`,
    [accountId, agentId, from, new Date('9999-01-01T00:00:00Z')],
  );
  return { tokens: BigInt(row?.tokens ?? 0), nanoUsd: BigInt(row?.nano ?? 0) };
}
