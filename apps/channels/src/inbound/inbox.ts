import type { ChatPlatform } from '#lib/contracts';
import type { Database } from '#lib/database';
import type { InboundMessage } from '../adapters/channel-adapter.js';

export interface InboundRow {
  id: string;
  place: string;
  message: InboundMessage;
  attempts: number;
  created_at: Date;
}

/** On disk when it resolves. An event that was seen before (platforms deliver again) changes nothing. */
export async function storeInbound(
  database: Database,
  platform: ChatPlatform,
  botId: string,
  message: InboundMessage,
): Promise<void> {
  await database.query(
    `INSERT INTO inbound_events (platform, bot_id, event_id, place, message) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (platform, bot_id, event_id) DO NOTHING`,
    [platform, botId, message.eventId, message.place, JSON.stringify(message)],
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
       SELECT DISTINCT ON (place) id, place, message, attempts, created_at, next_attempt_at FROM inbound_events
        WHERE platform = $1 AND bot_id = $2 AND message IS NOT NULL AND NOT place = ANY($3)
        ORDER BY place, id) AS first
      WHERE next_attempt_at <= now() ORDER BY id LIMIT $4`,
    [platform, botId, busyPlaces, limit],
  );
}

/** Dealt with: the content goes, the event's id stays to recognise it. */
export async function settleInbound(database: Database, id: string): Promise<void> {
  await database.query(`UPDATE inbound_events SET message = NULL WHERE id = $1`, [id]);
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
