import type { Transaction } from '#lib/database';
import type { DeliveryRow } from './delivery-row.js';

/**
 * Has deliveries sent again from the start of the schedule; a worker that holds one now loses its lease. Gives those that
 * are still there.
 */
export async function sendAgain(tx: Transaction, accountId: string, deliveryIds: string[]): Promise<DeliveryRow[]> {
  // The queue first, as when an outcome is recorded. The share lock keeps a delivery from being removed in between.
  await tx.query(
    `INSERT INTO queue (delivery_id, account_id, endpoint_id, event_id)
     SELECT id, account_id, endpoint_id, event_id FROM deliveries WHERE account_id = $1 AND id = ANY ($2) ORDER BY seq FOR KEY SHARE
     ON CONFLICT (delivery_id) DO UPDATE SET due_at = now(), tries = 0, leased_until = '-infinity',
       fencing_token = nextval('fencing_tokens')`,
    [accountId, deliveryIds],
  );
  return tx.query<DeliveryRow>(
    `UPDATE deliveries SET status = 'pending', finished_at = NULL WHERE account_id = $1 AND id = ANY ($2)
     RETURNING *, now() AS next_attempt_at`,
    [accountId, deliveryIds],
  );
}
