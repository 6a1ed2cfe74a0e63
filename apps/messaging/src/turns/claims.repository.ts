import { automationStarted, type ClaimedTurn, MAX_SUSPENDED_CALLS, turnStarted } from '#lib/contracts';
import { insertEvent, type Transaction } from '#lib/database';
import { decidedCalls } from '../approvals/approval-sql.js';
import type { AccountRanges } from './account-rotation.js';
import { nextClaim } from './turns.repository.js';

/** A batch travels in one bus message and one prompt: what is beyond comes with the conversation's next turn. */
const MAX_BATCH = 200;
const MAX_BATCH_BYTES = 2_000_000;

/** Agents that one query takes; what is beyond is taken by the next. */
const RETRIES = 500;

interface AgentRow {
  agent_id: string;
  account_id: string;
}

interface ClaimRow {
  fencing_token: string;
  run_id: string;
  conversation_id: string;
  channel: ClaimedTurn['channel'];
  counterparty_id: string;
  counterparty_name: string | null;
  partial_reply: string;
  has_more: boolean;
  attempt: number;
  messages: unknown[];
  /** The traces of the messages that belong to one, in their order. */
  traceparents: string[] | null;
  /** What was decided about the calls that the run was last suspended for. */
  approvals: unknown[] | null;
  /** Of the agent's configuration, where a message or the conversation names one. */
  version: number | null;
}

/** The SQL by which turns are claimed. */

/** The ranges are searched one after the other, each by index, until an agent is found. */
const NEXT = `
  SELECT agent_id, account_id FROM unnest($1::uuid[], $2::uuid[]) AS range (after, before)
  CROSS JOIN LATERAL (
    SELECT agent_id, account_id FROM agents
    WHERE account_id > range.after AND account_id < range.before
      AND next_at <= now() AND running_turn IS NULL AND status = 'active'
    ORDER BY account_id, next_at LIMIT 1 FOR UPDATE SKIP LOCKED
  ) agent LIMIT 1`;

export async function lockNext(tx: Transaction, { after, before }: AccountRanges): Promise<AgentRow | undefined> {
  const [agent] = await tx.query<AgentRow>(NEXT, [after, before]);
  return agent;
}

/** The conversation's own messages are all backing off: the agent is ready again when the first of them is. */
export async function waitForRetry(tx: Transaction, agentId: string): Promise<void> {
  await tx.query(`SELECT 1 FROM agents WHERE agent_id = $1 FOR UPDATE`, [agentId]);
  await tx.finish(`UPDATE agents SET ${nextClaim('$1')} WHERE agent_id = $1 AND running_turn IS NULL`, [agentId]);
}

/** Lets the agents be claimed whose retry is due; returns whether there was one. */
export async function queueDueRetries(tx: Transaction): Promise<boolean> {
  const due = await tx.query(
    `UPDATE agents SET next_at = coalesce(least(next_at, now()), now()), retry_at = NULL
     WHERE agent_id = ANY(ARRAY(
       SELECT agent_id FROM agents WHERE retry_at <= now() ORDER BY retry_at LIMIT ${RETRIES} FOR UPDATE SKIP LOCKED))
     RETURNING agent_id`,
  );
  return due.length > 0;
}

/** Makes the locked agent's next turn; undefined when all of its messages wait for a retry. Commits the transaction. */
export async function claimOf(
  tx: Transaction,
  agentId: string,
  claim: { turnId: string; workerId: string; leaseMs: number; ranges: AccountRanges },
): Promise<ClaimRow | undefined> {
  const { turnId, workerId, leaseMs, ranges } = claim;
  const [row] = await tx.finish<ClaimRow>(CLAIM, [agentId, turnId, workerId, leaseMs, ranges.after, ranges.before]);
  return row;
}

const CLAIM = `
  WITH conversation AS MATERIALIZED (
    SELECT * FROM conversations WHERE agent_id = $1::uuid AND ready_at <= now() ORDER BY ready_at, id LIMIT 1
  ), waiting AS (
    SELECT id, seq, content, metadata, batch_max FROM messages
    WHERE agent_id = $1::uuid AND conversation_id = (SELECT id FROM conversation) AND status = 'pending'
    ORDER BY seq LIMIT ${MAX_BATCH + 1}
  ), numbered AS MATERIALIZED (
    SELECT id, row_number() OVER w AS n, first_value(batch_max) OVER w AS batch_max,
      sum(octet_length(content) + octet_length(metadata::text)) OVER w AS bytes
    FROM waiting WINDOW w AS (ORDER BY seq)
  ), chosen AS MATERIALIZED (
    SELECT id FROM numbered
    WHERE n <= least(coalesce(batch_max, ${MAX_BATCH}), ${MAX_BATCH}) AND (n = 1 OR bytes <= ${MAX_BATCH_BYTES})
  ), batch AS (
    UPDATE messages SET status = 'delivered', delivered_at = now(), turn_id = $2::uuid, attempts = attempts + 1
    WHERE id = ANY(ARRAY(SELECT id FROM chosen))
    RETURNING id, seq, attempts, channel, traceparent, version, wire_message(messages) AS wire
  ), summary AS (
    SELECT max(attempts) AS attempt, array_agg(traceparent ORDER BY seq) FILTER (WHERE traceparent IS NOT NULL) AS traceparents, jsonb_agg(wire ORDER BY seq) AS messages, jsonb_agg(id ORDER BY seq) AS ids,
      (array_agg(channel ORDER BY seq DESC))[1] AS channel,
      (array_agg(version ORDER BY seq DESC) FILTER (WHERE version IS NOT NULL))[1] AS version
    FROM batch HAVING count(*) > 0
  ), agent AS (
    UPDATE agents SET running_turn = $2::uuid, fence = fence + 1 WHERE agent_id = $1::uuid AND EXISTS (SELECT FROM summary)
    RETURNING account_id, fence
  ), turn AS (
    INSERT INTO turns
      (id, account_id, agent_id, conversation_id, worker_id, fencing_token, attempt, lease_until, message_ids, partial_reply,
       source, run_id, run_status)
    SELECT $2::uuid, agent.account_id, $1::uuid, c.id, $3::text, agent.fence, s.attempt, clock_timestamp() + $4::int * interval '1 ms', s.ids,
      c.partial_reply, s.channel, c.open_run, CASE WHEN c.open_run IS NULL THEN 'running' END
    FROM agent, conversation c, summary s
  ), run AS (
    UPDATE turns SET run_status = 'running' FROM conversation c, summary s WHERE turns.id = c.open_run
  ), left_over AS (
    UPDATE conversations c SET ready_at =
      CASE WHEN (SELECT count(*) FROM numbered) > (SELECT count(*) FROM chosen) THEN now() END
    WHERE c.agent_id = $1::uuid AND c.id = (SELECT id FROM conversation)
  ), event AS (
    ${insertEvent(turnStarted, {
      key: '$1::uuid::text',
      payload: {
        account_id: 'agent.account_id',
        agent_id: '$1::uuid',
        turn_id: '$2::uuid',
        message_ids: 's.ids',
        attempt: 's.attempt',
        run_id: 'coalesce(c.open_run, $2::uuid)',
      },
      from: 'agent, summary s, conversation c',
    })}
  ), started AS (
    ${insertEvent(automationStarted, {
      key: '$1::uuid::text',
      payload: {
        account_id: 'agent.account_id',
        agent_id: '$1::uuid',
        message_ids: 's.ids',
        fencing_token: 'agent.fence',
      },
      from: `agent, summary s WHERE s.channel IN ('schedule', 'trigger')`,
    })}
  )
  SELECT agent.fence AS fencing_token, coalesce(c.open_run, $2::uuid) AS run_id, c.id AS conversation_id, s.channel, c.counterparty_id, c.counterparty_name,
    c.partial_reply, s.attempt, s.messages, s.traceparents, coalesce(s.version, c.pinned_version) AS version,
    ${decidedCalls('c.open_run', MAX_SUSPENDED_CALLS)} AS approvals,
    EXISTS (
      SELECT FROM unnest($5::uuid[], $6::uuid[]) AS range (after, before) CROSS JOIN LATERAL (
        SELECT FROM agents other WHERE other.account_id > range.after AND other.account_id < range.before
          AND other.next_at <= now() AND other.running_turn IS NULL AND other.status = 'active'
          AND other.agent_id <> $1::uuid LIMIT 1) AS found) AS has_more
  FROM agent, conversation c, summary s`;
