import type { Transaction } from '#lib/database';
import type { DeliveryRow } from './delivery-row.js';

/**
 * Has deliveries sent again from the start of the schedule; a worker that holds one now loses its lease. Gives those that
 * are still there. Of a deleted agent only `agent.deleted` is sent again, and not while others are on their way.
 */
export async function sendAgain(tx: Transaction, accountId: string, deliveryIds: string[]): Promise<DeliveryRow[]> {
  // A deletion that is under way ends first, or finds in the queue what is put there here.
  await tx.query(
    `SELECT 1 FROM agents WHERE agent_id IN
       (SELECT agent_id FROM deliveries WHERE account_id = $1 AND id = ANY ($2::uuid[])) ORDER BY agent_id FOR KEY SHARE`,
    [accountId, deliveryIds],
  );
  // The queue first, as when an outcome is recorded. The share lock keeps a delivery from being removed in between.
  const queued = await tx.query<{ delivery_id: string }>(
    `INSERT INTO queue (delivery_id, account_id, endpoint_id, event_id)
     SELECT id, account_id, endpoint_id, event_id FROM deliveries d WHERE account_id = $1 AND id = ANY ($2::uuid[])
       AND NOT EXISTS (
         SELECT FROM deleted_agents g WHERE g.agent_id = d.agent_id
           AND (d.event_type <> 'agent.deleted' OR (g.awaited > 0 AND g.awaited_until > now()))
       )
     ORDER BY seq FOR KEY SHARE OF d
     ON CONFLICT (delivery_id) DO UPDATE SET due_at = now(), tries = 0, leased_until = '-infinity',
       fencing_token = nextval('fencing_tokens')
     RETURNING delivery_id`,
    [accountId, deliveryIds],
  );
  return tx.query<DeliveryRow>(
    `UPDATE deliveries SET status = 'pending', finished_at = NULL WHERE account_id = $1 AND id = ANY ($2::uuid[])
     RETURNING *, now() AS next_attempt_at`,
    [accountId, queued.map(({ delivery_id }) => delivery_id)],
  );
}
