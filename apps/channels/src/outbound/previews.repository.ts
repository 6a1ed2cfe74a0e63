import type { ChatPlatform } from '#lib/contracts';
import type { Database, Queries, Transaction } from '#lib/database';
import type { Lease } from '../connections/leases.repository.js';
import type { PlannedPart } from './deliveries.repository.js';

/** SQL of the previews among `deliveries`: of a turn's reply while it is written, until its end is planned. */

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
