import { until } from '#lib/testing';
import type pg from 'pg';

export interface SampledRun {
  id: string;
  agentId: string;
  startedAt: Date;
}

/** As rows that are read, so long that none of retention's sweeps takes them meanwhile. */
const DAYS = 80;
const ROWS_AT_ONCE = 100_000;

/** What a run is remembered by in the runtime: a call of the model, of a tool, and of the model again. */
const STEPS = JSON.stringify(
  ['model', 'tool', 'model'].map((kind, index) => ({
    number: index + 1,
    kind,
    started_at: '2026-11-24T10:30:00.000Z',
    duration_ms: 1_200,
    model:
      kind === 'model'
        ? {
            model: 'anthropic/claude-sonnet-4-5',
            finish_reason: index === 0 ? 'tool-calls' : 'stop',
            input_tokens: 1_500,
            output_tokens: 120,
            cached_input_tokens: 900,
            cache_write_tokens: 0,
            reasoning_tokens: 0,
            cost_usd: '0.0031',
            time_to_first_token_ms: 400,
          }
        : null,
    tool:
      kind === 'tool'
        ? {
            name: 'bash',
            call_id: 'call_1',
            arguments: '{"command":"npm test"}',
            result: 'all tests passed\n'.repeat(40),
            is_truncated: false,
            is_error: false,
            exit_code: 0,
            approval: null,
          }
        : null,
    reason: null,
  })),
);

/**
 * Writes runs of the agents' account as the services have them after they ended: turns, of which one in twenty has a second
 * attempt, messages with replies, steps, and the ledger, which lifecycle then sums by itself. A tenth of them is the first
 * agent's, and most agents have few. Gives some of them, each as likely as any other.
 */
export async function fillRuns(
  database: pg.Client,
  { agentIds, runs, sampleSize }: { agentIds: string[]; runs: number; sampleSize: number },
): Promise<SampledRun[]> {
  const { rows } = await database.query<{ account_id: string }>(`SELECT account_id FROM messaging.agents LIMIT 1`);
  await database.query(`SET synchronous_commit = off`);
  for (let from = 1; from <= runs; from += ROWS_AT_ONCE) {
    const range = [from, Math.min(from + ROWS_AT_ONCE - 1, runs)];
    await database.query(RUNS, [...range, rows[0]?.account_id, agentIds]);
    await database.query(SECOND_ATTEMPTS, range);
    await database.query(MESSAGES, range);
    await database.query(ATTEMPTS, [...range, STEPS]);
    await database.query(LEDGER, range);
  }
  await until('usage is summed', async () => (await database.query(UNSUMMED)).rows.length === 0, {
    timeoutMs: 600_000,
    everyMs: 1_000,
  });
  await database.query(`VACUUM (ANALYZE)`);
  const sampled = await database.query<SampledRun>(SAMPLE, [sampleSize]);
  return sampled.rows;
}

const OF_BATCH = `fencing_token BETWEEN $1::bigint AND $2::bigint`;
/** A token beyond those of first attempts. */
const LATER = 1_000_000_000;

const RUNS = `
  INSERT INTO messaging.turns (id, account_id, agent_id, conversation_id, worker_id, fencing_token, attempt, lease_until,
    message_ids, reply_ids, state, run_status, source, started_at, ended_at, error)
  SELECT id, $3::uuid, agent_id, 'default', 'bench', n, 1, started_at, jsonb_build_array('msg_' || id),
    CASE WHEN status = 'completed' THEN jsonb_build_array('msg_' || md5(id::text)::uuid) ELSE '[]' END,
    CASE WHEN status = 'cancelled' THEN 'interrupted' ELSE status END, status, source, started_at,
    started_at + interval '4 s',
    CASE WHEN status <> 'completed' THEN '{"code": "MODEL_OVERLOADED", "message": "the model is overloaded"}'::jsonb END
  FROM (
    SELECT n, gen_random_uuid() AS id, now() - random() * interval '${DAYS} days' AS started_at,
      ($4::uuid[])[1 + floor(power(random(), 3) * cardinality($4::uuid[]))::int] AS agent_id,
      (ARRAY['failed', 'failed', 'interrupted', 'cancelled'])[ceil(random() * 80)::int] AS ended_badly,
      (ARRAY['api', 'api', 'discord', 'slack', 'telegram', 'schedule', 'trigger'])[ceil(random() * 7)::int] AS source
    FROM generate_series($1::bigint, $2::bigint) n OFFSET 0
  ) made CROSS JOIN LATERAL (SELECT coalesce(ended_badly, 'completed') AS status) ended`;

const SECOND_ATTEMPTS = `
  INSERT INTO messaging.turns (id, account_id, agent_id, conversation_id, worker_id, fencing_token, attempt, lease_until,
    message_ids, reply_ids, state, source, started_at, ended_at, error, run_id)
  SELECT gen_random_uuid(), account_id, agent_id, conversation_id, worker_id, fencing_token + ${LATER}, 2, lease_until,
    message_ids, reply_ids, state, source, started_at + interval '5 s', ended_at + interval '5 s', error, id
  FROM messaging.turns WHERE ${OF_BATCH} AND fencing_token % 20 = 0`;

const MESSAGES = `
  INSERT INTO messaging.messages (id, account_id, agent_id, conversation_id, role, content, status, channel, turn_id,
    reply_to_id, created_at, delivered_at, read_at)
  SELECT CASE WHEN role = 'user' THEN message_ids ->> 0 ELSE reply_ids ->> 0 END, account_id, agent_id, conversation_id, role,
    repeat('what was said and answered ', 8), CASE WHEN role = 'user' THEN 'read' ELSE 'delivered' END, source, id,
    CASE WHEN role = 'assistant' THEN message_ids ->> 0 END, started_at, started_at, ended_at
  FROM messaging.turns CROSS JOIN (VALUES ('user'), ('assistant')) AS said (role)
  WHERE ${OF_BATCH} AND (role = 'user' OR run_status = 'completed')`;

const ATTEMPTS = `
  INSERT INTO runtime.attempts (run_id, turn_id, fencing_token, account_id, agent_id, steps, input_tokens, output_tokens,
    cached_input_tokens, reasoning_tokens, cost_nano_usd, created_at)
  SELECT coalesce(run_id, id), id, fencing_token, account_id, agent_id, $3::text, 3000, 240, 1800, 0, 6200000, started_at
  FROM messaging.turns
  WHERE ${OF_BATCH} OR fencing_token BETWEEN $1::bigint + ${LATER} AND $2::bigint + ${LATER}`;

const LEDGER = `
  INSERT INTO lifecycle.balance_ledger (agent_id, account_id, actor, reason, step_id, output_tokens, balance_before,
    balance_after, model, source, input_tokens, used_output_tokens, cached_input_tokens, cache_write_tokens,
    reasoning_tokens, cost_nano_usd, created_at)
  SELECT agent_id, account_id, 'agent-runtime', 'used', id || ':1:' || step, 120, 1000000, 999880,
    (ARRAY['anthropic/claude-sonnet-4-5', 'openai/gpt-5', 'google/gemini-2.5-pro'])[1 + fencing_token % 3], source,
    1500, 120, 900, 0, 0, 3100000, started_at
  FROM messaging.turns CROSS JOIN (VALUES (0), (1)) AS steps (step) WHERE ${OF_BATCH}`;

/** Nothing while the sweep has summed all that there is. */
const UNSUMMED = `
  SELECT 1 FROM lifecycle.balance_ledger
  WHERE model IS NOT NULL AND xid >= (SELECT summed_below FROM lifecycle.usage_state) LIMIT 1`;

const SAMPLE = `
  SELECT id, agent_id AS "agentId", started_at AS "startedAt" FROM messaging.turns
  WHERE run_id IS NULL ORDER BY md5(id::text) LIMIT $1`;
