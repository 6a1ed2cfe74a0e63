import { type ChannelBinding, type ChatPlatform, type QueueMode, RoostError } from '#lib/contracts';
import { Database } from '#lib/database';
import { Injectable } from '@nestjs/common';

export interface BindingRow {
  id: string;
  account_id: string;
  agent_id: string;
  platform: ChatPlatform;
  bot_id: string;
  user_id: string;
  username: string | null;
  place: string;
  queue_mode: QueueMode;
  created_at: Date;
}

/** Who is linked with which agent. */
@Injectable()
export class Bindings {
  constructor(private readonly database: Database) {}

  /** Newest first. */
  ofAgent(accountId: string, agentId: string, platform?: ChatPlatform): Promise<BindingRow[]> {
    return this.database.query<BindingRow>(
      `SELECT * FROM bindings WHERE account_id = $1 AND agent_id = $2 AND ($3::text IS NULL OR platform = $3)
       ORDER BY created_at DESC LIMIT 200`,
      [accountId, agentId, platform ?? null],
    );
  }

  async ofPerson(platform: ChatPlatform, botId: string, userId: string): Promise<BindingRow | undefined> {
    const [row] = await this.database.query<BindingRow>(
      `SELECT * FROM bindings WHERE platform = $1 AND bot_id = $2 AND user_id = $3`,
      [platform, botId, userId],
    );
    return row;
  }

  /** Errors: NOT_FOUND when nobody is linked. */
  async removeAll(accountId: string, agentId: string, platform: ChatPlatform): Promise<void> {
    const removed = await this.database.query(
      `DELETE FROM bindings WHERE account_id = $1 AND agent_id = $2 AND platform = $3 RETURNING id`,
      [accountId, agentId, platform],
    );
    if (removed.length === 0) throw new RoostError('NOT_FOUND', `nobody is linked on ${platform}`);
  }

  async remove(id: string): Promise<void> {
    await this.database.query(`DELETE FROM bindings WHERE id = $1`, [id]);
  }

  /** Errors: NOT_FOUND. */
  async setQueueMode(accountId: string, agentId: string, id: string, queueMode: QueueMode): Promise<BindingRow> {
    const [row] = await this.database.query<BindingRow>(
      `UPDATE bindings SET queue_mode = $4 WHERE account_id = $1 AND agent_id = $2 AND id = $3 RETURNING *`,
      [accountId, agentId, id, queueMode],
    );
    if (!row) throw new RoostError('NOT_FOUND', 'this agent has no such channel');
    return row;
  }
}

export function bindingOf(row: BindingRow): ChannelBinding {
  return {
    id: row.id,
    queueMode: row.queue_mode,
    createdAt: row.created_at,
    ...(row.platform === 'telegram'
      ? { telegramUserId: row.user_id, telegramUsername: row.username, telegramChatId: row.place }
      : {}),
  };
}
