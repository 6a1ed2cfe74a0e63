import { automationReturned, completeTurn, encode, messageCompleted, messageFailed } from '#lib/contracts';
import { eventHeaders, insertEvent, type Transaction } from '#lib/database';
import type { z } from 'zod';
import { belongsTo } from '../messages/message-sql.js';
import { type LockedTurn, nextClaim } from './turns.repository.js';

export interface ReturnedBatch {
  state: 'failed' | 'expired' | 'released' | 'suspended';
  /** Messages that had their last try end with this. */
  error: { code: string; message: string };
  /**
   * Tries a message may have had and still go back to the queue: 0 ends all of them. Of an expired turn, workers that it
   * may have lost, which count for themselves.
   */
  maxAttempts: number;
  /** Until the batch may be claimed again. */
  delayMs: number;
  /** How many messages the next batch may hold; null: as many as wait. */
  batchMax: number | null;
  /** False takes the try back, e.g. when the worker only shut down. */
  countsAsTry: boolean;
  /** The text so far, for the next worker. */
  partialReply: string;
}

/** The SQL by which turns end, with what becomes of their messages, conversation and agent. */

/** Stores a turn's replies, ends it and frees its agent; returns whether that has more work. Commits the transaction. */
export async function completeLocked(
  tx: Transaction,
  turn: LockedTurn,
  replies: { id: string; content: string }[],
  usage: z.output<typeof completeTurn.input>['usage'],
): Promise<boolean> {
  tx.markEvents();
  const [freed] = await tx.finish<{ next_at: Date | null }>(COMPLETE, [
    turn.id,
    turn.agentId,
    turn.accountId,
    turn.conversationId,
    JSON.stringify(turn.messageIds),
    JSON.stringify(replies),
    JSON.stringify(replies.map(({ id }) => id)),
    JSON.stringify(encode(completeTurn.input.in.shape.usage, usage)),
    JSON.stringify(eventHeaders(messageCompleted)),
    turn.runId,
  ]);
  return (freed?.next_at ?? null) !== null;
}

/** Ends a turn without an answer; the caller frees its agent. */
export async function returnLocked(
  tx: Transaction,
  turn: LockedTurn,
  { state, error, maxAttempts, delayMs, batchMax, countsAsTry, partialReply }: ReturnedBatch,
): Promise<{ failedIds: string[]; willRetry: boolean }> {
  const [result] = await tx.query<{ failed_ids: string[]; retried: boolean }>(RETURN, [
    turn.id,
    turn.agentId,
    turn.accountId,
    turn.conversationId,
    maxAttempts,
    JSON.stringify(error),
    batchMax,
    delayMs,
    state,
    partialReply,
    countsAsTry ? 0 : 1,
    JSON.stringify(eventHeaders(messageFailed)),
    turn.runId,
  ]);
  tx.markEvents();
  return { failedIds: result?.failed_ids ?? [], willRetry: result?.retried ?? false };
}

/** Ends an interrupted turn: its batch counts as read, with the error. The caller frees its agent. */
export async function interruptLocked(
  tx: Transaction,
  turn: LockedTurn,
  partialReply: string,
  error: { code: string; message: string },
): Promise<void> {
  await tx.query(
    `WITH batch AS (
       UPDATE messages SET status = 'read', read_at = now(), error = $5::jsonb
       WHERE turn_id = $1 AND role = 'user' AND status = 'delivered'
     ), conversation AS (
       UPDATE conversations SET partial_reply = '', open_run = NULL WHERE agent_id = $2 AND id = $3
     ), run AS (
       UPDATE turns SET run_status = $7 WHERE id = $6
     )
     UPDATE turns SET state = 'interrupted', ended_at = now(), partial_reply = $4, error = $5::jsonb,
       run_status = CASE WHEN run_id IS NULL THEN $7 END
     WHERE id = $1`,
    [
      turn.id,
      turn.agentId,
      turn.conversationId,
      partialReply,
      JSON.stringify(error),
      turn.runId,
      turn.isCancelled ? 'cancelled' : 'interrupted',
    ],
  );
}

/** The agent is freed as `freeAgent` does it: the statement begins under the agent's lock and leaves `ready_at` alone. */
const COMPLETE = `
  WITH batch AS (
    UPDATE messages SET status = 'read', read_at = now(), turn_id = $1::uuid, error = NULL
    WHERE id = ANY(ARRAY(SELECT jsonb_array_elements_text($5::jsonb))) AND ${belongsTo('$2', '$3')}
    RETURNING id, seq, channel, wire_message(messages) AS wire
  ), summary AS (
    SELECT coalesce(jsonb_agg(wire ORDER BY seq), '[]') AS messages, (array_agg(id ORDER BY seq DESC))[1] AS last_id,
      (array_agg(channel ORDER BY seq DESC))[1] AS channel
    FROM batch
  ), reply AS (
    INSERT INTO messages (id, account_id, agent_id, conversation_id, role, content, status, channel, reply_to_id, turn_id, delivered_at)
    SELECT item.value->>'id', $3::uuid, $2::uuid, $4::text, 'assistant', item.value->>'content', 'delivered',
      coalesce(s.channel, 'api'), s.last_id, $1::uuid, now()
    FROM summary s, jsonb_array_elements($6::jsonb) WITH ORDINALITY AS item (value, n) ORDER BY n
    RETURNING seq, wire_message(messages) AS wire
  ), turn AS (
    UPDATE turns SET state = 'completed', ended_at = now(), reply_ids = $7::jsonb, partial_reply = '',
      run_status = CASE WHEN run_id IS NULL THEN 'completed' END
    WHERE id = $1::uuid
  ), run AS (
    UPDATE turns SET run_status = 'completed' WHERE id = $10::uuid
  ), conversation AS (
    UPDATE conversations SET message_count = message_count + jsonb_array_length($7::jsonb), partial_reply = '',
      updated_at = now(), open_run = NULL
    WHERE agent_id = $2::uuid AND id = $4::text
  ), event AS (
    ${insertEvent(messageCompleted, {
      key: '$2::uuid::text',
      payload: {
        account_id: '$3::uuid',
        agent_id: '$2::uuid',
        turn_id: '$1::uuid',
        messages: 's.messages',
        replies: `(SELECT coalesce(jsonb_agg(wire ORDER BY seq), '[]') FROM reply)`,
        usage: '$8::jsonb',
      },
      headers: '$9::jsonb',
      from: 'summary s',
    })}
  )
  UPDATE agents SET running_turn = NULL, ${nextClaim('$2')}
  WHERE agent_id = $2::uuid AND running_turn = $1::uuid RETURNING next_at`;

const IS_EXPIRED = `($9::text = 'expired')`;
const HAS_TRY_LEFT = `CASE WHEN ${IS_EXPIRED} THEN lost_workers + 1 ELSE attempts - lost_workers END < $5::int`;
const RETURN = `
  WITH batch AS (
    UPDATE messages SET
      status = CASE WHEN ${HAS_TRY_LEFT} THEN 'pending' ELSE 'read' END,
      delivered_at = CASE WHEN ${HAS_TRY_LEFT} THEN NULL ELSE delivered_at END,
      read_at = CASE WHEN ${HAS_TRY_LEFT} THEN NULL ELSE now() END,
      turn_id = CASE WHEN ${HAS_TRY_LEFT} THEN NULL ELSE turn_id END,
      error = CASE WHEN ${HAS_TRY_LEFT} THEN NULL ELSE $6::jsonb END,
      batch_max = $7::int,
      attempts = attempts - $11::int,
      lost_workers = lost_workers + ${IS_EXPIRED}::int
    WHERE turn_id = $1::uuid AND role = 'user' AND status = 'delivered'
    RETURNING id, seq, status, channel, wire_message(messages) AS wire
  ), summary AS (
    SELECT coalesce(bool_or(status = 'pending'), false) AS retried,
      coalesce(jsonb_agg(id) FILTER (WHERE status = 'read'), '[]') AS failed_ids,
      jsonb_agg(wire ORDER BY seq) FILTER (WHERE status = 'read') AS failed,
      jsonb_agg(id ORDER BY seq) FILTER (WHERE status = 'pending' AND channel IN ('schedule', 'trigger')) AS automated
    FROM batch
  ), turn AS (
    UPDATE turns SET state = $9::text, ended_at = now(), will_retry = s.retried, error = $6::jsonb,
      run_status = CASE WHEN run_id IS NULL THEN CASE WHEN s.retried THEN 'waiting' ELSE 'failed' END END
    FROM summary s WHERE id = $1::uuid
  ), run AS (
    UPDATE turns SET run_status = CASE WHEN s.retried THEN 'waiting' ELSE 'failed' END FROM summary s
    WHERE id = $13::uuid
  ), conversation AS (
    UPDATE conversations SET
      open_run = CASE WHEN s.retried THEN coalesce($13::uuid, $1::uuid) END,
      ready_at = CASE WHEN s.retried THEN now() + $8::int * interval '1 ms' ELSE ready_at END,
      partial_reply = CASE WHEN s.retried THEN $10::text ELSE '' END,
      retry_error = CASE WHEN s.retried THEN $6::jsonb END
    FROM summary s WHERE agent_id = $2::uuid AND id = $4::text
  ), returned AS (
    ${insertEvent(automationReturned, {
      key: '$2::uuid::text',
      payload: {
        account_id: '$3::uuid',
        agent_id: '$2::uuid',
        message_ids: 's.automated',
        fencing_token: 't.fencing_token',
      },
      from: 'summary s, turns t WHERE t.id = $1::uuid AND s.automated IS NOT NULL',
    })}
  ), event AS (
    ${insertEvent(messageFailed, {
      key: '$2::uuid::text',
      payload: {
        account_id: '$3::uuid',
        agent_id: '$2::uuid',
        turn_id: '$1::uuid',
        messages: 's.failed',
        error: '$6::jsonb',
      },
      headers: '$12::jsonb',
      from: 'summary s WHERE s.failed IS NOT NULL',
    })}
  )
  SELECT failed_ids, retried FROM summary`;
