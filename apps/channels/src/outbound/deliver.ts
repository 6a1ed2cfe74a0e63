import type { Database } from '#lib/database';
import type { Content } from '#lib/workspace-files';
import { type ChannelAdapter, type Connection, DeliveryError } from '../adapters/channel-adapter.js';
import type { Lease } from '../connections/connection-lease.js';
import { sendFile } from './send-file.js';

/** What a session delivers with. */
export interface Outlet {
  database: Database;
  content: Content;
  lease: Lease;
  adapter: ChannelAdapter;
  connection: Connection;
}

/** Files go beside texts, so that a large one delays its own chat only. */
export type Lane = 'text' | 'file';

interface Claimed {
  id: string;
  account_id: string;
  agent_id: string;
  place: string;
  body: string;
  file_path: string | null;
  message_id: string | null;
  attempts: number;
  created_at: Date;
}

/**
 * What a former holder was sending may have been shown. Where a repeated send shows nothing new it is sent again,
 * elsewhere it is uncertain and never sent again by itself. Edits are repeated, since that changes nothing.
 */
export async function settleInterrupted(
  database: Database,
  { platform, botId }: Lease,
  isIdempotent: boolean,
): Promise<void> {
  await database.query(
    `UPDATE deliveries SET
       state = CASE WHEN message_id IS NULL AND NOT $3 THEN 'uncertain' ELSE 'pending' END,
       reason = 'the connection was lost while this was being sent'
     WHERE platform = $1 AND bot_id = $2 AND state = 'sending'`,
    [platform, botId, isIdempotent],
  );
}

/** Shows the next part that is due, and gives its place; undefined when there is none. Parts of a place keep their order. */
export async function deliverNext(outlet: Outlet, lane: Lane): Promise<string | undefined> {
  const { database, lease, adapter } = outlet;
  const claimed = await claim(outlet, lane);
  if (!claimed) return undefined;
  if (!(await isLinked(outlet, claimed))) {
    await settle(database, lease, claimed, 'failed', 'not linked any more');
    return claimed.place;
  }
  try {
    const messageId = await show(outlet, claimed);
    await settle(database, lease, claimed, 'done', null, messageId);
  } catch (error) {
    if (!(error instanceof DeliveryError)) {
      // Whatever broke here, the part must not stay claimed for ever.
      const state = adapter.isIdempotent ? 'pending' : 'uncertain';
      await settle(database, lease, claimed, state, 'sending broke off', null, 2_000);
      throw error;
    }
    const mayRepeat = error.outcome === 'retry' || (error.outcome === 'uncertain' && adapter.isIdempotent);
    const state = mayRepeat ? 'pending' : error.outcome === 'uncertain' ? 'uncertain' : 'failed';
    await settle(database, lease, claimed, state, error.message, null, error.retryAfterMs);
  }
  return claimed.place;
}

async function show({ content, adapter, connection }: Outlet, claimed: Claimed): Promise<string> {
  const { id, account_id: accountId, agent_id: agentId, place, body, message_id: shownId } = claimed;
  const key = { key: `delivery-${id}`, isRepeat: claimed.attempts > 1, since: claimed.created_at };
  if (claimed.file_path !== null) {
    return sendFile(content, adapter, connection, { accountId, agentId, place, path: claimed.file_path }, key);
  }
  const messageId = shownId ?? (await connection.send(place, body, key));
  // An earlier try may have shown what was written so far.
  if (shownId !== null || (key.isRepeat && adapter.isIdempotent)) await connection.edit(place, messageId, body);
  return messageId;
}

/** Committed before the part is sent, so that a crash in between leaves a trace. Nothing without the lease. */
async function claim({ database, lease }: Outlet, lane: Lane): Promise<Claimed | undefined> {
  const { platform, botId, holder, fence } = lease;
  const [row] = await database.query<Claimed>(
    `UPDATE deliveries d SET state = 'sending', fence = $4, attempts = attempts + 1
      WHERE d.id = (
        SELECT id FROM deliveries c
         WHERE c.platform = $1 AND c.bot_id = $2 AND c.state = 'pending' AND c.next_attempt_at <= now()
           AND (c.file_path IS NOT NULL) = $5
           AND NOT EXISTS (SELECT 1 FROM deliveries e WHERE e.platform = $1 AND e.bot_id = $2
                             AND e.state IN ('pending', 'sending') AND e.place = c.place AND e.id < c.id)
         ORDER BY id LIMIT 1)
        AND d.state = 'pending'
        AND EXISTS (SELECT 1 FROM connection_leases
                     WHERE platform = $1 AND bot_id = $2 AND holder = $3 AND fence = $4 AND expires_at > now())
      RETURNING d.id, d.account_id, d.agent_id, d.place, d.body, d.file_path, d.message_id, d.attempts, d.created_at`,
    [platform, botId, holder, fence, lane === 'file'],
  );
  return row;
}

/** In a direct chat its own person must be linked; in a group somebody. */
async function isLinked({ database, lease, adapter }: Outlet, { agent_id, place }: Claimed): Promise<boolean> {
  const rows = await database.query(
    `SELECT 1 FROM bindings WHERE agent_id = $1 AND platform = $2 AND bot_id = $3 AND ($4 OR place = $5) LIMIT 1`,
    [agent_id, lease.platform, lease.botId, adapter.isGroup(place), adapter.roomOf(place)],
  );
  return rows.length > 0;
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
