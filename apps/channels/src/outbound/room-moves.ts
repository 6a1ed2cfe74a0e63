import type { ChatPlatform } from '#lib/contracts';
import type { Database } from '#lib/database';

/** Of one bot; each is a group that became another one. */
const MOST_MOVES = 10_000;

/**
 * Rooms that have another id now, as a Telegram group that became a supergroup. A conversation keeps the id that it
 * began with: what comes from the new room belongs to the old one's conversation, and its answers go to the new room.
 */
export class RoomMoves {
  private readonly forward = new Map<string, string>();
  private readonly back = new Map<string, string>();
  readonly isLoaded: Promise<void>;

  constructor(
    private readonly database: Database,
    private readonly bot: { platform: ChatPlatform; botId: string },
  ) {
    this.isLoaded = this.load();
    this.isLoaded.catch(() => undefined);
  }

  private async load(): Promise<void> {
    const rows = await this.database.query<{ room: string; moved_to: string }>(
      `SELECT room, moved_to FROM room_moves WHERE platform = $1 AND bot_id = $2 ORDER BY moved_at DESC LIMIT ${MOST_MOVES}`,
      [this.bot.platform, this.bot.botId],
    );
    for (const { room, moved_to: to } of rows) this.remember(room, to);
  }

  private remember(room: string, to: string): void {
    this.forward.set(room, to);
    this.back.set(to, room);
  }

  /** Where a place is now; a thread or topic stays what it was. */
  current(place: string): string {
    return replaced(place, this.forward);
  }

  /** The place under which its conversation is known. */
  original(place: string): string {
    return replaced(place, this.back);
  }

  /** Kept for good, also in the bindings that name the room. */
  async record(room: string, to: string): Promise<void> {
    if (room === to || this.forward.get(room) === to) return;
    const { platform, botId } = this.bot;
    await this.database.transaction(async (tx) => {
      await tx.query(
        `INSERT INTO room_moves (platform, bot_id, room, moved_to) VALUES ($1, $2, $3, $4)
         ON CONFLICT (platform, bot_id, room) DO UPDATE SET moved_to = EXCLUDED.moved_to, moved_at = now()`,
        [platform, botId, room, to],
      );
      await tx.query(`UPDATE bindings SET place = $4 WHERE platform = $1 AND bot_id = $2 AND place = $3`, [
        platform,
        botId,
        room,
        to,
      ]);
    });
    this.remember(room, to);
  }
}

function replaced(place: string, moves: Map<string, string>): string {
  const end = place.indexOf('/');
  const room = end < 0 ? place : place.slice(0, end);
  return (moves.get(room) ?? room) + (end < 0 ? '' : place.slice(end));
}
