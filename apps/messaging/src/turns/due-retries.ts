import type { Transaction } from '#lib/database';

/** Agents that one look takes; what is beyond is taken by the next. */
const BATCH = 500;

/** Lets the agents be claimed whose retry is due; gives whether there was one. */
export async function queueDueRetries(tx: Transaction): Promise<boolean> {
  const due = await tx.query(
    `UPDATE agents SET next_at = coalesce(least(next_at, now()), now()), retry_at = NULL
     WHERE agent_id = ANY(ARRAY(
       SELECT agent_id FROM agents WHERE retry_at <= now() ORDER BY retry_at LIMIT ${BATCH} FOR UPDATE SKIP LOCKED))
     RETURNING agent_id`,
  );
  return due.length > 0;
}
