import {
  type ChannelBinding,
  type ChatPlatform,
  type Listen,
  personField,
  PLATFORMS,
  type QueueMode,
  RoostError,
} from '#lib/contracts';
import { Database, type Transaction } from '#lib/database';
import { Injectable } from '@nestjs/common';

export interface BindingRow {
  id: string;
  account_id: string;
  agent_id: string;
  platform: ChatPlatform;
  bot_id: string;
  user_id: string;
  username: string | null;
  team_id: string | null;
  /** The room in which the code was sent. */
  place: string;
  queue_mode: QueueMode;
  listen: Listen;
  created_at: Date;
  /** The room that cannot be reached, its own or a group's, and why. */
  unreachable_place: string | null;
  unreachable_reason: string | null;
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

  /** Whom an agent talks to on a platform when nobody is named: the newest link. */
  async newest(tx: Transaction, agentId: string, platform: ChatPlatform): Promise<BindingRow | undefined> {
    const [row] = await tx.query<BindingRow>(
      `SELECT * FROM bindings WHERE agent_id = $1 AND platform = $2 ORDER BY created_at DESC LIMIT 1`,
      [agentId, platform],
    );
    return row;
  }

  async ofPerson(platform: ChatPlatform, botId: string, userId: string): Promise<BindingRow | undefined> {
    const [row] = await this.database.query<BindingRow>(
      `SELECT * FROM bindings WHERE platform = $1 AND bot_id = $2 AND user_id = $3`,
      [platform, botId, userId],
    );
    return row;
  }

  async isThere(id: string): Promise<boolean> {
    const rows = await this.database.query(`SELECT 1 FROM bindings WHERE id = $1`, [id]);
    return rows.length > 0;
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
  async change(
    accountId: string,
    agentId: string,
    id: string,
    { queueMode, listen }: { queueMode?: QueueMode | undefined; listen?: Listen | undefined },
  ): Promise<BindingRow> {
    const [row] = await this.database.query<BindingRow>(
      `UPDATE bindings SET queue_mode = coalesce($4, queue_mode), listen = coalesce($5, listen)
        WHERE account_id = $1 AND agent_id = $2 AND id = $3 RETURNING *`,
      [accountId, agentId, id, queueMode ?? null, listen ?? null],
    );
    if (!row) throw new RoostError('NOT_FOUND', 'this agent has no such channel');
    return row;
  }
}

export function bindingOf(row: BindingRow): ChannelBinding {
  const person = { userId: row.user_id, username: row.username, teamId: row.team_id, chatId: row.place };
  const shown = PLATFORMS[row.platform].person.map((field) => [personField(row.platform, field), person[field]]);
  return {
    id: row.id,
    queueMode: row.queue_mode,
    listen: row.listen,
    createdAt: row.created_at,
    ...(row.unreachable_reason === null ? {} : { healthReason: unreachableReason(row) }),
    ...(Object.fromEntries(shown) as Partial<ChannelBinding>),
  };
}

/** A group is named; the person's own chat needs no name. */
export function unreachableReason({ place, unreachable_place: room, unreachable_reason: reason }: BindingRow): string {
  return room === place ? (reason ?? '') : `in ${room}: ${reason}`;
}
