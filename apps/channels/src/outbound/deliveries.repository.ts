import { currentTraceparent } from '#lib/call-context';
import type { ChatPlatform } from '#lib/contracts';
import type { Database, Queries, Transaction } from '#lib/database';
import type { Card } from '../approvals/cards.repository.js';
import type { Lease } from '../connections/leases.repository.js';

/** SQL of `deliveries`: parts of replies, and where each is to be shown. Previews are in `previews.repository.ts`. */

/** Files go beside texts, so that a large one delays its own chat only. */
export type Lane = 'text' | 'file';

/** Whose a part is. */
export interface Part {
  id: string;
  account_id: string;
  agent_id: string;
  place: string;
  turn_id: string;
  reply_ids: string[];
}

export interface Claimed extends Part {
  body: string;
  file_path: string | null;
  message_id: string | null;
  attempts: number;
  created_at: Date;
  /** Of the event that planned it. */
  traceparent: string | null;
  /** Of a question about a call; null for a part of a reply. */
  card: Card | null;
  /** Of the answer to a question: where that is shown. */
  asked_id: string | null;
  /** Of a question: the file of its arguments was not shown. */
  lacks_file: boolean;
}

export interface PlannedPart {
  accountId: string;
  agentId: string;
  platform: ChatPlatform;
  botId: string;
  place: string;
  turnId: string;
  part: number;
  body: string;
  path: string | null;
  replyIds: string[];
}

/** A preview of this turn is edited into its first part, not shown beside it. */
export async function planPart(tx: Transaction, planned: PlannedPart): Promise<void> {
  await tx.query(
    `INSERT INTO deliveries (account_id, agent_id, platform, bot_id, place, turn_id, part, body, file_path, reply_ids, state, traceparent)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'pending', $11)
     ON CONFLICT (turn_id, part) DO UPDATE SET body = EXCLUDED.body, reply_ids = EXCLUDED.reply_ids, state = 'pending', next_attempt_at = now(),
       traceparent = EXCLUDED.traceparent
       WHERE deliveries.state = 'preview'`,
    [
      planned.accountId,
      planned.agentId,
      planned.platform,
      planned.botId,
      planned.place,
      planned.turnId,
      planned.part,
      planned.body,
      planned.path,
      planned.replyIds,
      currentTraceparent() ?? null,
    ],
  );
}

/**
 * What a former holder was sending may have been shown. Where a repeated send shows nothing new it is sent again,
 * elsewhere it is uncertain and never sent again by itself. Edits are repeated, since that changes nothing; questions
 * too, since they are decided once however often they are shown. Returns what is uncertain now. Nothing without the lease:
 * another replica may be sending.
 */
export async function resolveSending(
  tx: Transaction,
  { platform, botId, holder, fence }: Lease,
  lane: Lane,
  isRepeatable: boolean,
): Promise<Part[]> {
  const rows = await tx.query<Part & { state: string }>(
    `UPDATE deliveries SET
       state = CASE WHEN message_id IS NULL AND card IS NULL AND NOT $3 THEN 'uncertain' ELSE 'pending' END,
       reason = 'the connection was lost while this was being sent'
     WHERE platform = $1 AND bot_id = $2 AND state = 'sending' AND (file_path IS NOT NULL) = $4 AND fence <= $6
       AND EXISTS (${held('$5', '$6')})
     RETURNING id, account_id, agent_id, place, turn_id, reply_ids, state`,
    [platform, botId, isRepeatable, lane === 'file', holder, fence],
  );
  return rows.filter(({ state }) => state === 'uncertain');
}

/** That a lease of the bot is held now, by names of parameters. */
const held = (holder: string, fence: string) =>
  `SELECT 1 FROM connection_leases
    WHERE platform = $1 AND bot_id = $2 AND holder = ${holder} AND fence = ${fence} AND expires_at > now()`;

/** Committed before the part is sent, so that a crash in between leaves a trace. Nothing without the lease. */
export async function claimDelivery(database: Database, lease: Lease, lane: Lane): Promise<Claimed | undefined> {
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
        AND EXISTS (${held('$3', '$4')})
      RETURNING d.id, d.account_id, d.agent_id, d.place, d.body, d.file_path, d.message_id, d.attempts, d.created_at,
        d.turn_id, d.reply_ids, d.traceparent, d.card,
        CASE WHEN d.card->>'kind' = 'result' THEN
          (SELECT message_id FROM deliveries a WHERE a.turn_id = d.turn_id AND a.card->>'kind' = 'ask') END AS asked_id,
        d.card->>'kind' = 'ask' AND EXISTS (
          SELECT 1 FROM deliveries f WHERE f.turn_id = d.turn_id AND f.card->>'kind' = 'file' AND f.state <> 'done') AS lacks_file`,
    [platform, botId, holder, fence, lane === 'file'],
  );
  return row;
}

/** How long a part waits to be shown. */
const SHOWN_WITHIN = `interval '24 hours'`;

export type OutcomeState = 'pending' | 'done' | 'failed' | 'uncertain';

/** `pending` waits for its next attempt, for a day at most. Returns the state it has then; undefined without the lease. */
export async function recordOutcome(
  queries: Queries,
  id: string,
  { fence }: Lease,
  { state, reason, messageId, retryAfterMs = 0 }: DeliveryOutcome,
): Promise<string | undefined> {
  const [row] = await queries.query<{ state: string }>(
    `UPDATE deliveries SET
       state = CASE WHEN $3 = 'pending' AND created_at < now() - ${SHOWN_WITHIN} THEN 'failed' ELSE $3 END,
       reason = $4, message_id = coalesce($5, message_id),
       next_attempt_at = now() + $6 * interval '1 millisecond'
     WHERE id = $1 AND fence = $2 AND state = 'sending' RETURNING state`,
    [id, fence, state, reason ?? null, messageId ?? null, retryAfterMs],
  );
  return row?.state;
}

/** Of parts, as `d`, that have waited for so long and whose bot nobody connects. */
const UNCONNECTED = `state IN ('pending', 'sending') AND created_at < now() - ${SHOWN_WITHIN}
  AND NOT EXISTS (SELECT 1 FROM connection_leases l
                   WHERE l.platform = d.platform AND l.bot_id = d.bot_id AND l.expires_at > now())`;

export async function isAnyUnconnected(database: Database): Promise<boolean> {
  return (await database.query(`SELECT 1 FROM deliveries d WHERE ${UNCONNECTED} LIMIT 1`)).length > 0;
}

/**
 * Gives up a part that has waited for so long, and whose bot, none of `bots` (`platform:id`), nobody connects: only a
 * session records outcomes.
 * What was being sent is uncertain, but for a question, which is asked at the next place then. Undefined: there is none.
 */
export async function giveUpUnconnected(
  tx: Transaction,
  bots: string[],
  reason: string,
): Promise<(Part & { platform: ChatPlatform; state: 'failed' | 'uncertain' }) | undefined> {
  const [row] = await tx.query<Part & { platform: ChatPlatform; state: 'failed' | 'uncertain' }>(
    `UPDATE deliveries SET reason = $1,
       state = CASE WHEN state = 'sending' AND card IS NULL THEN 'uncertain' ELSE 'failed' END
     WHERE id = (
       SELECT id FROM deliveries d
        WHERE ${UNCONNECTED} AND NOT platform || ':' || bot_id = ANY($2)
        ORDER BY created_at, id LIMIT 1 FOR UPDATE OF d SKIP LOCKED)
     RETURNING id, account_id, agent_id, platform, place, turn_id, reply_ids, state`,
    [reason, bots],
  );
  return row;
}

export interface DeliveryOutcome {
  state: OutcomeState;
  reason?: string | undefined;
  messageId?: string | undefined;
  retryAfterMs?: number | undefined;
}

/** Whether another part of the turn has failed, or may have. */
export async function hasOtherFailure(tx: Transaction, turnId: string, id: string): Promise<boolean> {
  const earlier = await tx.query(
    `SELECT 1 FROM deliveries WHERE turn_id = $1 AND id <> $2 AND state IN ('failed', 'uncertain') LIMIT 1`,
    [turnId, id],
  );
  return earlier.length > 0;
}

/** Up to `limit` of those that are older than 30 days; returns how many. */
export async function deleteOldDeliveries(database: Database, limit: number): Promise<number> {
  const removed = await database.query(
    `DELETE FROM deliveries WHERE id = ANY(ARRAY(
       SELECT id FROM deliveries WHERE created_at < now() - interval '30 days' LIMIT ${limit})) RETURNING 1`,
  );
  return removed.length;
}

/** What is not shown yet, and for how long the oldest part has been due: 0 when none is. */
export async function openDeliveries(database: Database): Promise<{ count: number; dueSeconds: number }> {
  const [row] = await database.query<{ count: number; seconds: number | null }>(
    `SELECT count(*)::int AS count,
       (max(extract(epoch FROM now() - next_attempt_at)) FILTER (WHERE next_attempt_at <= now()))::float8 AS seconds
     FROM deliveries WHERE state IN ('pending', 'sending')`,
  );
  return { count: row?.count ?? 0, dueSeconds: row?.seconds ?? 0 };
}
