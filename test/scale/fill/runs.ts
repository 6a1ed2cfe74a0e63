import type { Filling } from './steps.js';
import type { Transaction } from '#lib/database';
import { sumUp } from '../../../apps/agent-lifecycle/src/usage/usage.repository.js';

/** What a run is remembered by: one call of the model. */
const STEPS = JSON.stringify([
  {
    attempt: 1,
    number: 1,
    kind: 'model',
    started_at: '2026-11-24T10:30:00.000Z',
    duration_ms: 1_200,
    model: {
      model: 'demo/demo',
      finish_reason: 'stop',
      input_tokens: 202,
      output_tokens: 93,
      cached_input_tokens: 0,
      cache_write_tokens: 0,
      reasoning_tokens: 0,
      cost_usd: '0',
      time_to_first_token_ms: 81,
    },
    tool: null,
    reason: null,
  },
]);

/** Of each turn that is kept its attempt and transcript; of each conversation its session. */
export async function fillRuntime({ database }: Filling): Promise<void> {
  await database.query(`TRUNCATE runtime.attempts, runtime.sessions, runtime.transcript`);
  await database.query(`
    INSERT INTO runtime.sessions (id, account_id, agent_id, conversation_id, context_tokens, started_at, last_turn_at, is_persistent)
    SELECT uuidv7(min(started_at) - now()), account_id, agent_id, conversation_id, 202, min(started_at), max(ended_at), false
    FROM messaging.turns GROUP BY account_id, agent_id, conversation_id`);
  await database.query(
    `INSERT INTO runtime.attempts (run_id, turn_id, fencing_token, account_id, agent_id, session_id, steps, input_tokens,
       output_tokens, cached_input_tokens, reasoning_tokens, cost_nano_usd, created_at, configuration_version)
     SELECT t.id, t.id, t.fencing_token, t.account_id, t.agent_id, s.id, $1::text, 202, 93, 0, 0, 0, t.started_at, 1
     FROM messaging.turns t JOIN runtime.sessions s USING (agent_id, conversation_id) ORDER BY t.started_at`,
    [STEPS],
  );
  await database.query(`
    INSERT INTO runtime.transcript (account_id, agent_id, session_id, turn_id, kind, content, created_at)
    SELECT m.account_id, m.agent_id, s.id, m.turn_id, 'message',
      json_build_object('role', m.role, 'content', json_build_array(json_build_object('type', 'text', 'text', m.content)))::text,
      t.ended_at
    FROM messaging.messages m JOIN messaging.turns t ON t.id = m.turn_id
    JOIN runtime.sessions s ON s.agent_id = t.agent_id AND s.conversation_id = t.conversation_id ORDER BY m.seq`);
}

/** The ledger of each turn's model call, summed as agent-lifecycle sums it. */
export async function fillUsage({ database }: Filling): Promise<void> {
  await database.query(`
    INSERT INTO lifecycle.balance_ledger (agent_id, account_id, actor, reason, step_id, output_tokens, balance_before,
      balance_after, model, source, input_tokens, used_output_tokens, cached_input_tokens, cache_write_tokens,
      reasoning_tokens, cost_nano_usd, created_at, xid)
    SELECT agent_id, account_id, 'agent-runtime', 'used', id || ':1:0', 93, 100000000, 99999907, 'demo/demo', source, 202, 93, 0, 0,
      0, 0, started_at, '3'
    FROM messaging.turns ORDER BY started_at`);
  await database.query(`CREATE UNIQUE INDEX scale_rollups ON lifecycle.usage_rollups
    (account_id, grain, starts_at, agent_id, model, source) NULLS NOT DISTINCT`);
  await database.query(`UPDATE lifecycle.usage_state SET summed_below = '0'`);
  await database.query(`SET LOCAL search_path = lifecycle`);
  await sumUp({
    query: async <R extends object>(sql: string, parameters?: unknown[]) =>
      (await database.query(sql, parameters)).rows as R[],
  } as Transaction);
  await database.query(`SET LOCAL search_path TO DEFAULT`);
  await database.query(`DROP INDEX lifecycle.scale_rollups`);
}
