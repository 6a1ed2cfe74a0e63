import type { Database } from '#lib/database';
import { type ChannelAdapter, type Connection, DeliveryError } from '../adapters/channel-adapter.js';
import type { Lease } from '../connections/connection-lease.js';

interface Claimed {
  id: string;
  place: string;
  body: string;
  message_id: string | null;
  attempts: number;
  is_linked_here: boolean;
  is_linked: boolean;
}

/**
 * What a former holder was sending may have been shown: uncertain, and never sent again by itself. Edits are
 * repeated, since that changes nothing.
 */
export async function settleInterrupted(database: Database, { platform, botId }: Lease): Promise<void> {
  await database.query(
    `UPDATE deliveries SET
       state = CASE WHEN message_id IS NULL THEN 'uncertain' ELSE 'pending' END,
       reason = 'the connection was lost while this was being sent'
     WHERE platform = $1 AND bot_id = $2 AND state = 'sending'`,
    [platform, botId],
  );
}

/** Shows the next part that is due; false when there is none. Parts of a place keep their order. */
export async function deliverNext(
  database: Database,
  lease: Lease,
  adapter: ChannelAdapter,
  connection: Connection,
): Promise<boolean> {
  const claimed = await claim(database, lease);
  if (!claimed) return false;
  if (!(claimed.is_linked_here || (claimed.is_linked && adapter.isGroup(claimed.place)))) {
    await settle(database, lease, claimed, 'failed', 'not linked any more');
    return true;
  }
  try {
    const messageId = await show(connection, claimed);
    await settle(database, lease, claimed, 'done', null, messageId);
  } catch (error) {
    if (!(error instanceof DeliveryError)) throw error;
    const state = error.outcome === 'retry' ? 'pending' : error.outcome;
    await settle(database, lease, claimed, state, error.message, null, error.retryAfterMs);
  }
  return true;
}

async function show(
  connection: Connection,
  { id, attempts, place, message_id: messageId, body }: Claimed,
): Promise<string> {
  if (messageId === null) return connection.send(place, body, { key: `delivery-${id}`, isRepeat: attempts > 1 });
  await connection.edit(place, messageId, body);
  return messageId;
}

/** Committed before the part is sent, so that a crash in between leaves a trace. Nothing without the lease. */
async function claim(database: Database, { platform, botId, holder, fence }: Lease): Promise<Claimed | undefined> {
  const [row] = await database.query<Claimed>(
    `UPDATE deliveries d SET state = 'sending', fence = $4, attempts = attempts + 1
      WHERE d.id = (
        SELECT id FROM deliveries c
         WHERE c.platform = $1 AND c.bot_id = $2 AND c.state = 'pending' AND c.next_attempt_at <= now()
           AND NOT EXISTS (SELECT 1 FROM deliveries e WHERE e.platform = $1 AND e.bot_id = $2
                             AND e.state IN ('pending', 'sending') AND e.place = c.place AND e.id < c.id)
         ORDER BY id LIMIT 1)
        AND d.state = 'pending'
        AND EXISTS (SELECT 1 FROM connection_leases
                     WHERE platform = $1 AND bot_id = $2 AND holder = $3 AND fence = $4 AND expires_at > now())
      RETURNING d.id, d.attempts, d.place, d.body, d.message_id,
        EXISTS (SELECT 1 FROM bindings b WHERE b.agent_id = d.agent_id AND b.platform = $1 AND b.bot_id = $2
                  AND b.place = d.place) AS is_linked_here,
        EXISTS (SELECT 1 FROM bindings b WHERE b.agent_id = d.agent_id AND b.platform = $1 AND b.bot_id = $2) AS is_linked`,
    [platform, botId, holder, fence],
  );
  return row;
}

/** `pending` waits for its next attempt, for a day at most. */
async function settle(
  database: Database,
  { fence }: Lease,
  { id }: Claimed,
  state: 'pending' | 'done' | 'failed' | 'uncertain',
  reason: string | null,
  messageId: string | null = null,
  retryAfterMs = 0,
): Promise<void> {
  await database.query(
    `UPDATE deliveries SET
       state = CASE WHEN $3 = 'pending' AND created_at < now() - interval '24 hours' THEN 'failed' ELSE $3 END,
       reason = $4, message_id = coalesce($5, message_id),
       next_attempt_at = now() + $6 * interval '1 millisecond'
     WHERE id = $1 AND fence = $2 AND state = 'sending'`,
    [id, fence, state, reason, messageId, retryAfterMs],
  );
}
