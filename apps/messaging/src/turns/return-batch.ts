import { automationReturned, messageFailed } from '#lib/contracts';
import type { Transaction } from '#lib/database';
import { freeAgent } from './free-agent.js';
import type { LockedTurn } from './locked-turn.js';
import type { Ended } from './complete-turn.js';

export const MAX_ATTEMPTS = 5;

export interface ReturnedBatch {
  state: 'failed' | 'expired' | 'released';
  /** Messages that had their last try end with this. */
  error: { code: string; message: string };
  /** Tries a message may have had and still go back to the queue: 0 ends all of them. */
  maxAttempts: number;
  /** Until the batch may be claimed again. */
  delayMs: number;
  /** How many messages the next batch may hold; null: as many as wait. */
  batchMax: number | null;
  /** False takes the try back, e.g. when the worker only shut down. */
  countsAsTry: boolean;
  /** What was said, for the next worker. */
  partialReply: string;
}

/** Ends a turn without an answer: its messages wait again, or get the error when they have no try left. */
export async function returnBatch(
  tx: Transaction,
  turn: LockedTurn,
  { state, error, maxAttempts, delayMs, batchMax, countsAsTry, partialReply }: ReturnedBatch,
): Promise<Ended & { willRetry: boolean }> {
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
    partialReply.toWellFormed().replaceAll('\0', ''),
    messageFailed.subject,
    countsAsTry ? 0 : 1,
  ]);
  tx.markEvents();
  const hasMoreWork = await freeAgent(tx, turn.agentId, turn.id);
  return {
    agentId: turn.agentId,
    settledIds: result?.failed_ids ?? [],
    hasMoreWork,
    willRetry: result?.retried ?? false,
  };
}

/** Puts the batch of a turn that was ended for no fault of its own back into the queue. */
export function handBack(tx: Transaction, turn: LockedTurn, partialReply: string) {
  return returnBatch(tx, turn, {
    state: 'released',
    error: { code: 'INTERNAL', message: 'the turn was handed back' },
    maxAttempts: 2 ** 31 - 1,
    delayMs: 0,
    batchMax: null,
    countsAsTry: false,
    partialReply,
  });
}

const RETURN = `
  WITH batch AS (
    UPDATE messages SET
      status = CASE WHEN attempts < $5::int THEN 'pending' ELSE 'read' END,
      delivered_at = CASE WHEN attempts < $5::int THEN NULL ELSE delivered_at END,
      read_at = CASE WHEN attempts < $5::int THEN NULL ELSE now() END,
      turn_id = CASE WHEN attempts < $5::int THEN NULL ELSE turn_id END,
      error = CASE WHEN attempts < $5::int THEN NULL ELSE $6::jsonb END,
      batch_max = $7::int,
      attempts = attempts - $12::int
    WHERE turn_id = $1::uuid AND role = 'user' AND status = 'delivered'
    RETURNING id, seq, status, channel, wire_message(messages) AS wire
  ), summary AS (
    SELECT coalesce(bool_or(status = 'pending'), false) AS retried,
      coalesce(jsonb_agg(id) FILTER (WHERE status = 'read'), '[]') AS failed_ids,
      jsonb_agg(wire ORDER BY seq) FILTER (WHERE status = 'read') AS failed,
      jsonb_agg(id ORDER BY seq) FILTER (WHERE status = 'pending' AND channel IN ('schedule', 'trigger')) AS automated
    FROM batch
  ), turn AS (
    UPDATE turns SET state = $9::text, ended_at = now(), will_retry = s.retried FROM summary s WHERE id = $1::uuid
  ), conversation AS (
    UPDATE conversations SET
      ready_at = CASE WHEN s.retried THEN now() + $8::int * interval '1 ms' ELSE ready_at END,
      partial_reply = CASE WHEN s.retried THEN $10::text ELSE '' END,
      retry_error = CASE WHEN s.retried THEN $6::jsonb END
    FROM summary s WHERE agent_id = $2::uuid AND id = $4::text
  ), returned AS (
    INSERT INTO outbox (subject, key, payload, headers)
    SELECT '${automationReturned.subject}', $2::uuid::text, jsonb_build_object('account_id', $3::uuid, 'agent_id', $2::uuid,
      'message_ids', s.automated, 'fencing_token', t.fencing_token), '{"v":"${automationReturned.v}"}'
    FROM summary s, turns t WHERE t.id = $1::uuid AND s.automated IS NOT NULL
  ), event AS (
    INSERT INTO outbox (subject, key, payload, headers)
    SELECT $11::text, $2::uuid::text, jsonb_build_object('account_id', $3::uuid, 'agent_id', $2::uuid, 'turn_id', $1::uuid,
      'messages', s.failed, 'error', $6::jsonb), '{"v":"${messageFailed.v}"}'
    FROM summary s WHERE s.failed IS NOT NULL
  )
  SELECT failed_ids, retried FROM summary`;
