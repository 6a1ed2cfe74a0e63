import type { Queries, Transaction } from '#lib/database';

/** All SQL by which executions follow their message's turn, with `early_outcomes`: events that arrive before its id is recorded. */

/**
 * The turn of these messages runs. One that starts before the sender recorded its message's id is remembered. What
 * arrives after something later of the same message changes nothing; a messaging service of an older version gives no
 * fencing token, and counts as before all that do.
 */
export async function startExecutions(tx: Transaction, messageIds: string[], fencingToken = 0): Promise<void> {
  await lockMessages(tx, messageIds);
  const turnOrder = 2 * fencingToken;
  await tx.query(
    `UPDATE executions SET status = 'running', started_at = now(), turn_order = $2
     WHERE message_id = ANY($1) AND finished_at IS NULL
       AND (turn_order < $2 OR ($2 = 0 AND turn_order = 0 AND status IN ('pending', 'queued')))`,
    [messageIds, turnOrder],
  );
  await rememberEarly(tx, messageIds, { status: 'running', error: null, turnOrder });
}

/** That turn ended without an answer, and the messages wait for their next one. */
export async function returnExecutions(tx: Transaction, messageIds: string[], fencingToken: number): Promise<void> {
  await lockMessages(tx, messageIds);
  const turnOrder = 2 * fencingToken + 1;
  await tx.query(
    `UPDATE executions SET status = 'queued', started_at = NULL, turn_order = $2
     WHERE message_id = ANY($1) AND finished_at IS NULL AND turn_order < $2`,
    [messageIds, turnOrder],
  );
  // The version before knows no other status than this of a turn that has not ended.
  await rememberEarly(tx, messageIds, { status: 'running', error: null, turnOrder });
}

/**
 * Closes the executions of these messages. An outcome that arrives before the sender recorded the message's id is
 * remembered (`recordSent` reads it); the advisory locks make one of the two see the other.
 */
export async function closeExecutions(
  tx: Transaction,
  messageIds: string[],
  status: 'completed' | 'failed',
  error: string | null,
): Promise<void> {
  await lockMessages(tx, messageIds);
  await tx.query(
    `UPDATE executions SET status = $2, error = $3, started_at = COALESCE(started_at, now()), finished_at = now(),
       content = NULL, send_at = NULL
     WHERE message_id = ANY($1) AND finished_at IS NULL`,
    [messageIds, status, error],
  );
  await rememberEarly(tx, messageIds, { status, error, turnOrder: 0 });
}

const HAS_RETURNED = `(early.status = 'running' AND early.turn_order % 2 = 1)`;

/** Records which messages executions became, with what is known of their turn already. */
export async function recordSent(tx: Transaction, sent: { executionId: string; messageId: string }[]): Promise<void> {
  if (sent.length === 0) return;
  const messageIds = sent.map(({ messageId }) => messageId);
  await lockMessages(tx, messageIds);
  await tx.query(
    `UPDATE executions SET message_id = sent.message_id, content = NULL, send_at = NULL,
       status = CASE WHEN ${HAS_RETURNED} THEN 'queued' ELSE COALESCE(early.status, 'queued') END,
       error = early.error, started_at = CASE WHEN NOT ${HAS_RETURNED} THEN early.at END,
       finished_at = CASE WHEN early.status <> 'running' THEN early.at END, turn_order = COALESCE(early.turn_order, 0)
     FROM unnest($1::uuid[], $2::text[]) AS sent (id, message_id)
     LEFT JOIN early_outcomes AS early ON early.message_id = sent.message_id
     WHERE executions.id = sent.id AND executions.message_id IS NULL`,
    [sent.map(({ executionId }) => executionId), messageIds],
  );
  await tx.query(`DELETE FROM early_outcomes WHERE message_id = ANY($1)`, [messageIds]);
}

/** Remembers what arrives for messages that no execution has yet; after a turn's end nothing else counts. */
async function rememberEarly(
  tx: Transaction,
  messageIds: string[],
  { status, error, turnOrder }: { status: string; error: string | null; turnOrder: number },
): Promise<void> {
  await tx.query(
    `INSERT INTO early_outcomes (message_id, status, error, turn_order, at)
     SELECT known.id, $2, $3, $4, now() FROM unnest($1::text[]) AS known (id)
     WHERE NOT EXISTS (SELECT 1 FROM executions e WHERE e.message_id = known.id)
     ON CONFLICT (message_id) DO UPDATE SET status = excluded.status, error = excluded.error, at = excluded.at,
         turn_order = excluded.turn_order
       WHERE early_outcomes.status = 'running'
         AND (excluded.status <> 'running' OR excluded.turn_order > early_outcomes.turn_order)`,
    [messageIds, status, error, turnOrder],
  );
}

/** In one order, so that two batches that share messages do not wait for each other. */
async function lockMessages(tx: Transaction, messageIds: string[]): Promise<void> {
  await tx.query(
    `SELECT pg_advisory_xact_lock(hashtextextended(id, 9)) FROM (SELECT unnest($1::text[]) AS id ORDER BY 1) AS ids`,
    [messageIds],
  );
}

/** Outcomes of messages that were none of an execution's. */
export async function sweepEarlyOutcomes(queries: Queries): Promise<void> {
  await queries.query(`DELETE FROM early_outcomes WHERE at < now() - interval '1 day'`);
}
