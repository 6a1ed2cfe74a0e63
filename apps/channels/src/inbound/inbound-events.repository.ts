import type { ChatPlatform } from '#lib/contracts';
import { type Database, storableJson } from '#lib/database';
import type { InboundMessage } from '../adapters/channel-adapter.js';

/** All SQL of `inbound_events`, what people sent and has not been handled. */

export interface InboundRow {
  id: string;
  place: string;
  message: InboundMessage;
  attempts: number;
  created_at: Date;
  /** The trace that its arrival began. */
  traceparent: string | null;
  /** The approval that it was found to settle: a repeated try goes on with that, whatever has become of it. */
  approval_id: string | null;
}

/** A message of a person, while it is handled. */
export type InHand = Pick<InboundRow, 'id' | 'approval_id'>;

/** Parts of an album come one by one, within moments, and nothing shows which is the last: so long is waited for more. */
const ALBUM_WINDOW_MS = 1_500;
/** Telegram's albums have ten parts at most: https://core.telegram.org/bots/api#sendmediagroup */
const MAX_ALBUM_PARTS = 20;

/** On disk when it resolves. An event that was seen before (platforms deliver again) changes nothing. */
export async function storeInbound(
  database: Database,
  platform: ChatPlatform,
  botId: string,
  message: InboundMessage,
  traceparent: string | undefined,
): Promise<void> {
  await database.query(
    `INSERT INTO inbound_events (platform, bot_id, event_id, place, message, next_attempt_at, traceparent)
     VALUES ($1, $2, $3, $4, $5, now() + $6 * interval '1 millisecond', $7)
     ON CONFLICT (platform, bot_id, event_id) DO NOTHING`,
    [
      platform,
      botId,
      message.eventId,
      message.place,
      storableJson(message),
      message.album === undefined ? 0 : ALBUM_WINDOW_MS,
      traceparent ?? null,
    ],
  );
}

/** The oldest open event of each place that is not in work already, if it is due. */
export function dueInbound(
  database: Database,
  platform: ChatPlatform,
  botId: string,
  busyPlaces: string[],
  limit: number,
): Promise<InboundRow[]> {
  return database.query<InboundRow>(
    `SELECT * FROM (
       SELECT DISTINCT ON (place) id, place, message, attempts, created_at, traceparent, approval_id, next_attempt_at
         FROM inbound_events
        WHERE platform = $1 AND bot_id = $2 AND message IS NOT NULL AND NOT place = ANY($3)
        ORDER BY place, id) AS first
      WHERE next_attempt_at <= now() ORDER BY id LIMIT $4`,
    [platform, botId, busyPlaces, limit],
  );
}

/** To be called before the approval is settled: no answer may come, and the message must not become another one then. */
export async function noteApproval(database: Database, id: string, approvalId: string): Promise<void> {
  await database.query(`UPDATE inbound_events SET approval_id = $2 WHERE id = $1`, [id, approvalId]);
}

/** Handled: the content goes, the event's id stays to recognise it. */
export async function finishInbound(database: Database, ids: string[]): Promise<void> {
  await database.query(`UPDATE inbound_events SET message = NULL WHERE id = ANY($1)`, [ids]);
}

/** Tries again with growing pauses, up to a minute; after a day the message is given up. */
export async function retryInbound(database: Database, id: string): Promise<void> {
  await database.query(
    `UPDATE inbound_events SET
       message = CASE WHEN created_at < now() - interval '24 hours' THEN NULL ELSE message END,
       attempts = attempts + 1,
       next_attempt_at = now() + least(60, power(2, least(attempts, 6))) * interval '1 second'
     WHERE id = $1`,
    [id],
  );
}

/** The open parts of the album that `first` belongs to, from it on. */
export function albumParts(
  database: Database,
  platform: ChatPlatform,
  botId: string,
  { id, place, message }: InboundRow,
): Promise<Pick<InboundRow, 'id' | 'message'>[]> {
  return database.query<Pick<InboundRow, 'id' | 'message'>>(
    `SELECT id, message FROM inbound_events
      WHERE platform = $1 AND bot_id = $2 AND message IS NOT NULL AND place = $3 AND message->>'album' = $4
        AND message->'sender'->>'id' = $5 AND id >= $6
      ORDER BY id LIMIT ${MAX_ALBUM_PARTS}`,
    [platform, botId, place, message.album, message.sender.id, id],
  );
}

/** Up to `limit` of those that came more than 7 days ago; returns how many. */
export async function deleteOldInbound(database: Database, limit: number): Promise<number> {
  const removed = await database.query(
    `DELETE FROM inbound_events WHERE id = ANY(ARRAY(
       SELECT id FROM inbound_events WHERE created_at < now() - interval '7 days' LIMIT ${limit})) RETURNING 1`,
  );
  return removed.length;
}
