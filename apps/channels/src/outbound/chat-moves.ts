import type { Database } from '#lib/database';
import { type BotKey, listMoves, recordMove } from '../bindings/bindings.repository.js';

/**
 * Chats that have another id now, as a Telegram group that became a supergroup. A conversation keeps the id that it
 * began with: what comes from the new chat belongs to the old one's conversation, and its answers go to the new chat.
 */
export class ChatMoves {
  private readonly forward = new Map<string, string>();
  private readonly back = new Map<string, string>();
  private loading: Promise<void> | undefined;

  constructor(
    private readonly database: Database,
    private readonly bot: BotKey,
  ) {}

  /** Resolves once they are known. Errors: the database's, which the next call asks again. */
  loaded(): Promise<void> {
    this.loading ??= this.load().catch((error: unknown) => {
      this.loading = undefined;
      throw error;
    });
    return this.loading;
  }

  private async load(): Promise<void> {
    for (const { chat, to } of await listMoves(this.database, this.bot)) this.remember(chat, to);
  }

  private remember(chat: string, to: string): void {
    this.forward.set(chat, to);
    this.back.set(to, chat);
  }

  /** Where a place is now; a thread or topic stays what it was. */
  current(place: string): string {
    return replaced(place, this.forward);
  }

  /** The place under which its conversation is known. */
  original(place: string): string {
    return replaced(place, this.back);
  }

  /** Permanently, also in the bindings that name the chat. */
  async record(chat: string, to: string): Promise<void> {
    if (chat === to || this.forward.get(chat) === to) return;
    await this.database.transaction((tx) => recordMove(tx, this.bot, chat, to));
    this.remember(chat, to);
  }
}

function replaced(place: string, moves: Map<string, string>): string {
  const end = place.indexOf('/');
  const chat = end < 0 ? place : place.slice(0, end);
  return (moves.get(chat) ?? chat) + (end < 0 ? '' : place.slice(end));
}
