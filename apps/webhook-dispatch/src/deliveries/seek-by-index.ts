import type { Transaction } from '#lib/database';

/**
 * Has the rest of the transaction planned by index. The queue is empty whenever statistics of it are gathered, so that a
 * plan made from them, and kept, would read all of it for each row.
 */
export async function seekByIndex(tx: Transaction): Promise<void> {
  await tx.query(`SET LOCAL enable_seqscan = off`);
}
