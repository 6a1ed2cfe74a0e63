import { currentTraceparent } from '#lib/call-context';
import type { ChatPlatform } from '#lib/contracts';
import type { Database, Queries, Transaction } from '#lib/database';
import type { Card } from '../approvals/cards.repository.js';
import type { Lease } from '../connections/leases.repository.js';

/** All SQL of `deliveries`: parts of replies, and where each is to be shown. */

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

interface PlannedPart {
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

/** Records that a turn is over of which nothing is shown: no preview of it is begun. False when it has a first part. */
export async function endUnshown(tx: Transaction, turn: { accountId: string } & PreviewOwner): Promise<boolean> {
  const added = await tx.query(
    `INSERT INTO deliveries (account_id, agent_id, platform, bot_id, place, turn_id, part, body, state)
     VALUES ($1, $2, $3, $4, $5, $6, 0, '', 'done') ON CONFLICT (turn_id, part) DO NOTHING RETURNING id`,
    [turn.accountId, turn.agentId, turn.platform, turn.botId, turn.place, turn.turnId],
  );
  return added.length > 0;
}

/** Where a preview of this turn is shown. */
export async function previewOf(tx: Transaction, turnId: string) {
  const [preview] = await tx.query<{ platform: ChatPlatform; bot_id: string; place: string }>(
    `SELECT platform, bot_id, place FROM deliveries WHERE turn_id = $1 AND part = 0 AND state = 'preview'`,
    [turnId],
  );
  return preview && { platform: preview.platform, botId: preview.bot_id, place: preview.place };
}

type PreviewOwner = Pick<PlannedPart, 'agentId' | 'platform' | 'botId' | 'place' | 'turnId'>;

/** What is shown of another turn in a place: $1 the agent, $2 platform, $3 bot, $4 place, $5 the turn itself. */
const SHOWN_OF_ANOTHER = `state = 'preview' AND agent_id = $1 AND place = $4 AND platform = $2 AND bot_id = $3
  AND message_id IS NOT NULL AND turn_id <> $5`;

/**
 * Gives this turn the preview that another left in the same place: each attempt is a turn of its own, and what a lost
 * worker had begun to show is gone on with. One that may not have been shown is left alone.
 * With `answered`, the ids of all messages that this turn answers, only that of an earlier attempt at one of them: the
 * end of another's turn is still to come.
 */
export async function takePreviewOver(
  queries: Queries,
  { agentId, platform, botId, place, turnId }: PreviewOwner,
  answered?: string[],
): Promise<{ id: string; messageId: string } | undefined> {
  const [row] = await queries.query<{ id: string; messageId: string }>(
    `UPDATE deliveries SET turn_id = $5 WHERE id = (
       SELECT id FROM deliveries WHERE ${SHOWN_OF_ANOTHER} AND ($6::text[] IS NULL OR answers IS NULL OR answers = ANY($6))
       ORDER BY id DESC LIMIT 1)
       AND state = 'preview' -- asked again of a row that was waited for: its reply may have been planned meanwhile
       AND NOT EXISTS (SELECT 1 FROM deliveries WHERE turn_id = $5 AND part = 0)
     RETURNING id, message_id AS "messageId"`,
    [agentId, platform, botId, place, turnId, answered],
  );
  return row;
}

export interface OpenPreview {
  id: string;
  /** Undefined: not shown yet. */
  messageId: string | undefined;
}

/** A turn that begins to write. */
export interface PreviewedTurn {
  turnId: string;
  /** The last of the messages that it answers. */
  messageId: string;
  /** It goes on with what an earlier attempt had begun. */
  goesOn: boolean;
}

/**
 * The row of a preview: for a turn that goes on with another's work the one that was left in the place, else a new one.
 * `occupied` while parts of other turns wait for their place, and while another turn's preview is shown there: its end is
 * still to come, or its worker was lost and nobody said so; this turn's reply takes it over then. Undefined when nobody is
 * linked, or the turn has a first part already.
 */
export async function beginPreview(
  database: Database,
  { platform, botId, fence }: Lease,
  to: { accountId: string; agentId: string; place: string },
  { turnId, messageId, goesOn }: PreviewedTurn,
  body: string,
): Promise<OpenPreview | 'occupied' | undefined> {
  const whose = { agentId: to.agentId, platform, botId, place: to.place, turnId };
  const left = goesOn && (await takePreviewOver(database, whose));
  if (left) return left;
  if (await isOccupied(database, whose)) return 'occupied';
  const [row] = await database.query<{ id: string }>(
    `INSERT INTO deliveries (account_id, agent_id, platform, bot_id, place, turn_id, part, body, state, fence, attempts, answers)
     SELECT $1, $2, $3, $4, $5, $6, 0, $7, 'preview', $8, 1, $9
      WHERE EXISTS (SELECT 1 FROM bindings WHERE agent_id = $2 AND platform = $3 AND bot_id = $4)
     ON CONFLICT (turn_id, part) DO NOTHING RETURNING id`,
    [to.accountId, to.agentId, platform, botId, to.place, turnId, body, fence, messageId],
  );
  return row && { id: row.id, messageId: undefined };
}

/** Also by what another turn still has to show there: that would stand below. */
async function isOccupied(
  database: Database,
  { agentId, platform, botId, place, turnId }: PreviewOwner,
): Promise<boolean> {
  const rows = await database.query(
    `SELECT 1 FROM deliveries WHERE ${SHOWN_OF_ANOTHER}
     UNION ALL
     SELECT 1 FROM deliveries
      WHERE platform = $2 AND bot_id = $3 AND place = $4 AND turn_id <> $5 AND state IN ('pending', 'sending')
     LIMIT 1`,
    [agentId, platform, botId, place, turnId],
  );
  return rows.length > 0;
}

export async function setPreviewMessage(database: Database, id: string | undefined, messageId: string): Promise<void> {
  await database.query(`UPDATE deliveries SET message_id = $2 WHERE id = $1`, [id, messageId]);
}

/** Whether it is still this turn's, which is not over, and its agent still linked. */
export async function isPreviewOpen(database: Database, id: string, turnId: string): Promise<boolean> {
  const rows = await database.query(
    `SELECT 1 FROM deliveries d JOIN bindings b ON b.agent_id = d.agent_id AND b.bot_id = d.bot_id
      WHERE d.id = $1 AND d.turn_id = $2 AND d.state = 'preview' LIMIT 1`,
    [id, turnId],
  );
  return rows.length > 0;
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

/**
 * Up to `limit` previews of turns whose end has not come within a day, and may never come: while one is there, no other
 * is begun in its place. A reply that comes after all is shown as a message of its own. Returns how many.
 */
export async function deleteLostPreviews(database: Database, limit: number): Promise<number> {
  const removed = await database.query(
    `DELETE FROM deliveries WHERE state = 'preview' AND id = ANY(ARRAY(
       SELECT id FROM deliveries WHERE state = 'preview' AND created_at < now() - interval '1 day' LIMIT ${limit})) RETURNING 1`,
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
