import type { Transaction } from '#lib/database';

/**
 * Closes the executions of these messages. An outcome that is heard before the sender wrote down the message's id is
 * kept for it (`recordSent` looks there); the advisory lock makes one of the two see the other.
 */
export async function closeExecutions(
  tx: Transaction,
  messageIds: string[],
  status: 'completed' | 'failed',
  error: string | null,
): Promise<void> {
  // Sorted, so that two batches that share messages lock in the same order.
  for (const messageId of [...messageIds].sort()) {
    await lockMessage(tx, messageId);
    const closed = await tx.query(
      `UPDATE executions SET status = $2, error = $3, finished_at = now(), content = NULL, send_at = NULL
       WHERE message_id = $1 AND status IN ('pending', 'running') RETURNING id`,
      [messageId, status, error],
    );
    if (closed.length > 0) continue;
    await tx.query(
      `INSERT INTO early_outcomes (message_id, status, error, at)
       SELECT $1, $2, $3, now() WHERE NOT EXISTS (SELECT 1 FROM executions WHERE message_id = $1)
       ON CONFLICT DO NOTHING`,
      [messageId, status, error],
    );
  }
}

/** Writes down which messages executions became, with their outcome where that is known already. */
export async function recordSent(tx: Transaction, sent: { executionId: string; messageId: string }[]): Promise<void> {
  if (sent.length === 0) return;
  const messageIds = sent.map(({ messageId }) => messageId);
  await tx.query(
    `SELECT pg_advisory_xact_lock(hashtextextended(id, 9)) FROM (SELECT unnest($1::text[]) AS id ORDER BY 1) AS ids`,
    [messageIds],
  );
  await tx.query(
    `UPDATE executions SET message_id = sent.message_id, content = NULL, send_at = NULL, started_at = clock_timestamp(),
       status = COALESCE(early.status, 'running'), error = early.error, finished_at = early.at
     FROM unnest($1::uuid[], $2::text[]) AS sent (id, message_id)
     LEFT JOIN early_outcomes AS early ON early.message_id = sent.message_id
     WHERE executions.id = sent.id AND executions.message_id IS NULL`,
    [sent.map(({ executionId }) => executionId), messageIds],
  );
  await tx.query(`DELETE FROM early_outcomes WHERE message_id = ANY($1)`, [messageIds]);
}

async function lockMessage(tx: Transaction, messageId: string): Promise<void> {
  await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended($1, 9))`, [messageId]);
}
