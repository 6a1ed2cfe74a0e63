import type { Database } from '#lib/database';
import type { Content } from '#lib/workspace-client';
import { type ChannelAdapter, type Connection, DeliveryError } from '../adapters/channel-adapter.js';
import type { Lease } from '../connections/connection-lease.js';
import { clearUnreachable, type Failure, recordFailure } from './record-failure.js';
import { showRepaired, type Way } from './repair.js';
import type { RoomMoves } from './room-moves.js';
import { sendFile } from './send-file.js';

/** What a session delivers with. */
export interface Outlet {
  database: Database;
  content: Content;
  lease: Lease;
  adapter: ChannelAdapter;
  connection: Connection;
  moves: RoomMoves;
  /** Something that cannot be shown. */
  onFailure(failure: Failure): void;
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
  turn_id: string;
  reply_ids: string[];
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
  const { adapter } = outlet;
  await outlet.moves.isLoaded;
  const claimed = await claim(outlet, lane);
  if (!claimed) return undefined;
  const link = await linkOf(outlet, claimed);
  if (!link) {
    await settle(outlet, claimed, 'failed', { reason: 'not linked any more' });
    return claimed.place;
  }
  try {
    const messageId = await show(outlet, claimed);
    await settle(outlet, claimed, 'done', { messageId });
    if (link.is_unreachable) await reached(outlet, claimed.place);
  } catch (error) {
    if (!(error instanceof DeliveryError)) {
      // Whatever broke here, the part must not stay claimed for ever.
      const state = adapter.isIdempotent ? 'pending' : 'uncertain';
      await settle(outlet, claimed, state, { reason: 'sending broke off', retryAfterMs: 2_000 });
      throw error;
    }
    const mayRepeat = error.outcome === 'retry' || (error.outcome === 'uncertain' && adapter.isIdempotent);
    const state = mayRepeat ? 'pending' : error.outcome === 'uncertain' ? 'uncertain' : 'failed';
    await settle(outlet, claimed, state, { reason: error.message, retryAfterMs: error.retryAfterMs, error });
  }
  return claimed.place;
}

function show(outlet: Outlet, claimed: Claimed): Promise<string> {
  const first = { place: claimed.place, isPlain: false, shownId: claimed.message_id };
  return showRepaired(outlet, first, (way) => showOnce(outlet, claimed, way));
}

async function showOnce(outlet: Outlet, claimed: Claimed, { place, isPlain, shownId }: Way): Promise<string> {
  const { content, adapter, connection } = outlet;
  const { id, account_id: accountId, agent_id: agentId, body } = claimed;
  const key = { key: `delivery-${id}`, isRepeat: claimed.attempts > 1, since: claimed.created_at, isPlain };
  if (claimed.file_path !== null) {
    return sendFile(content, adapter, connection, { accountId, agentId, place, path: claimed.file_path }, key);
  }
  const messageId = shownId ?? (await connection.send(place, body, key));
  // An earlier try may have shown what was written so far.
  if (shownId !== null || (key.isRepeat && adapter.isIdempotent)) {
    await connection.edit(place, messageId, body, isPlain);
  }
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
      RETURNING d.id, d.account_id, d.agent_id, d.place, d.body, d.file_path, d.message_id, d.attempts, d.created_at,
        d.turn_id, d.reply_ids`,
    [platform, botId, holder, fence, lane === 'file'],
  );
  return row;
}

/** In a direct chat its own person must be linked; in a group somebody. */
async function linkOf(
  { database, lease, adapter, moves }: Outlet,
  { agent_id, place }: Claimed,
): Promise<{ is_unreachable: boolean } | undefined> {
  const room = adapter.roomOf(moves.current(place));
  const [row] = await database.query<{ is_unreachable: boolean | null }>(
    `SELECT bool_or(unreachable_place = $5) AS is_unreachable FROM bindings
      WHERE agent_id = $1 AND platform = $2 AND bot_id = $3 AND ($4 OR place = $5) HAVING count(*) > 0`,
    [agent_id, lease.platform, lease.botId, adapter.isGroup(place), room],
  );
  return row && { is_unreachable: row.is_unreachable === true };
}

async function reached({ database, lease, adapter, moves }: Outlet, place: string): Promise<void> {
  await clearUnreachable(database, lease, adapter.roomOf(moves.current(place)));
}

interface Settled {
  reason?: string;
  messageId?: string;
  retryAfterMs?: number;
  error?: DeliveryError;
}

/** `pending` waits for its next attempt, for a day at most. What failed is told in the same transaction. */
async function settle(
  outlet: Outlet,
  claimed: Claimed,
  state: 'pending' | 'done' | 'failed' | 'uncertain',
  { reason, messageId, retryAfterMs = 0, error }: Settled,
): Promise<void> {
  const { database, lease, adapter, moves } = outlet;
  const values = [claimed.id, lease.fence, state, reason ?? null, messageId ?? null, retryAfterMs];
  if (state === 'done' || state === 'uncertain') {
    await database.query(SETTLE, values);
    return;
  }
  const failure = await database.transaction(async (tx) => {
    const [row] = await tx.query<{ state: string }>(SETTLE, values);
    if (row?.state !== 'failed') return undefined;
    return recordFailure(tx, {
      accountId: claimed.account_id,
      agentId: claimed.agent_id,
      deliveryId: claimed.id,
      turnId: claimed.turn_id,
      replyIds: claimed.reply_ids,
      platform: lease.platform,
      botId: lease.botId,
      room: adapter.roomOf(moves.current(claimed.place)),
      isGroup: adapter.isGroup(claimed.place),
      isUnreachable: error?.refusal?.kind === 'unreachable' || error?.refusal?.kind === 'thread',
      reason: reason ?? 'unknown',
    });
  });
  if (failure) outlet.onFailure(failure);
}

const SETTLE = `
  UPDATE deliveries SET
    state = CASE WHEN $3 = 'pending' AND created_at < now() - interval '24 hours' THEN 'failed' ELSE $3 END,
    reason = $4, message_id = coalesce($5, message_id),
    next_attempt_at = now() + $6 * interval '1 millisecond'
  WHERE id = $1 AND fence = $2 AND state = 'sending' RETURNING state`;
