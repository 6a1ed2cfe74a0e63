import {
  type ChannelBinding,
  type ChatPlatform,
  type Listen,
  personField,
  PLATFORMS,
  type QueueMode,
  RoostError,
} from '#lib/contracts';
import { type Database, newId, type Queries, type Transaction } from '#lib/database';

/** All SQL of `bindings`, who is linked with which agent, and of `room_moves`, chats that have another id now. */

/** Of one bot; each is a group that became another one. */
const MAX_MOVES = 10_000;

export interface BotKey {
  platform: ChatPlatform;
  botId: string;
}

export interface BindingRow {
  id: string;
  account_id: string;
  agent_id: string;
  platform: ChatPlatform;
  bot_id: string;
  user_id: string;
  username: string | null;
  team_id: string | null;
  /** The chat in which the code was sent. */
  place: string;
  queue_mode: QueueMode;
  listen: Listen;
  created_at: Date;
  /** The chat that cannot be reached, its own or a group's, and why. */
  unreachable_place: string | null;
  unreachable_reason: string | null;
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
export function unreachableReason({ place, unreachable_place: chat, unreachable_reason: reason }: BindingRow): string {
  return chat === place ? (reason ?? '') : `in ${chat}: ${reason}`;
}

/** Newest first. */
export function bindingsOfAgent(
  database: Database,
  accountId: string,
  agentId: string,
  platform?: ChatPlatform,
): Promise<BindingRow[]> {
  return database.query<BindingRow>(
    `SELECT * FROM bindings WHERE account_id = $1 AND agent_id = $2 AND ($3::text IS NULL OR platform = $3)
     ORDER BY created_at DESC LIMIT 200`,
    [accountId, agentId, platform ?? null],
  );
}

/** Whom an agent talks to on a platform when nobody is named: the newest link. */
export async function newestBinding(
  tx: Transaction,
  agentId: string,
  platform: ChatPlatform,
): Promise<BindingRow | undefined> {
  const [row] = await tx.query<BindingRow>(
    `SELECT * FROM bindings WHERE agent_id = $1 AND platform = $2 ORDER BY created_at DESC LIMIT 1`,
    [agentId, platform],
  );
  return row;
}

export async function bindingOfPerson(
  database: Database,
  { platform, botId }: BotKey,
  userId: string,
): Promise<BindingRow | undefined> {
  const [row] = await database.query<BindingRow>(
    `SELECT * FROM bindings WHERE platform = $1 AND bot_id = $2 AND user_id = $3`,
    [platform, botId, userId],
  );
  return row;
}

export async function hasBinding(database: Database, id: string): Promise<boolean> {
  const rows = await database.query(`SELECT 1 FROM bindings WHERE id = $1`, [id]);
  return rows.length > 0;
}

/** In a direct chat its own person must be linked; in a group somebody. Undefined: nobody is. */
export async function linkIn(
  database: Database,
  { platform, botId }: BotKey,
  { agentId, chat, isGroup }: { agentId: string; chat: string; isGroup: boolean },
): Promise<{ isUnreachable: boolean } | undefined> {
  const [row] = await database.query<{ is_unreachable: boolean | null }>(
    `SELECT bool_or(unreachable_place = $5) AS is_unreachable FROM bindings
      WHERE agent_id = $1 AND platform = $2 AND bot_id = $3 AND ($4 OR place = $5) HAVING count(*) > 0`,
    [agentId, platform, botId, isGroup, chat],
  );
  return row && { isUnreachable: row.is_unreachable === true };
}

export async function countBindings(queries: Queries, accountId: string): Promise<number> {
  const [row] = await queries.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM bindings WHERE account_id = $1`,
    [accountId],
  );
  return row?.count ?? 0;
}

export async function addBinding(
  tx: Transaction,
  { platform, botId }: BotKey,
  agent: { account_id: string; agent_id: string },
  person: { id: string; username: string | null; teamId?: string | undefined; chat: string },
): Promise<void> {
  await tx.query(
    `INSERT INTO bindings (id, account_id, agent_id, platform, bot_id, user_id, username, place, team_id)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [
      newId(),
      agent.account_id,
      agent.agent_id,
      platform,
      botId,
      person.id,
      person.username,
      person.chat,
      person.teamId ?? null,
    ],
  );
}

/** Errors: NOT_FOUND. */
export async function changeBinding(
  tx: Transaction,
  { accountId, agentId, id }: { accountId: string; agentId: string; id: string },
  { queueMode, listen }: { queueMode?: QueueMode | undefined; listen?: Listen | undefined },
): Promise<BindingRow> {
  const [row] = await tx.query<BindingRow>(
    `UPDATE bindings SET queue_mode = coalesce($4, queue_mode), listen = coalesce($5, listen)
      WHERE account_id = $1 AND agent_id = $2 AND id = $3 RETURNING *`,
    [accountId, agentId, id, queueMode ?? null, listen ?? null],
  );
  if (!row) throw new RoostError('NOT_FOUND', 'this agent has no such channel');
  return row;
}

/** Errors: NOT_FOUND when nobody is linked. */
export async function deleteBindings(
  tx: Transaction,
  accountId: string,
  agentId: string,
  platform: ChatPlatform,
): Promise<void> {
  const removed = await tx.query(
    `DELETE FROM bindings WHERE account_id = $1 AND agent_id = $2 AND platform = $3 RETURNING id`,
    [accountId, agentId, platform],
  );
  if (removed.length === 0) throw new RoostError('NOT_FOUND', `nobody is linked on ${platform}`);
}

export async function deleteBinding(tx: Transaction, id: string): Promise<void> {
  await tx.query(`DELETE FROM bindings WHERE id = $1`, [id]);
}

/** Returns the agents that the person was linked with. */
export async function deleteBindingsOfPerson(
  tx: Transaction,
  { platform, botId }: BotKey,
  userId: string,
): Promise<string[]> {
  const old = await tx.query<{ agent_id: string }>(
    `DELETE FROM bindings WHERE platform = $1 AND bot_id = $2 AND user_id = $3 RETURNING agent_id`,
    [platform, botId, userId],
  );
  return old.map((row) => row.agent_id);
}

/**
 * With the link codes and deliveries of the agent. Codes first: whoever is redeeming one holds its row, and what has been
 * linked by it is seen once that ended.
 */
export async function deleteAgent(tx: Transaction, agentId: string): Promise<void> {
  for (const table of ['link_codes', 'bindings', 'deliveries']) {
    await tx.query(`DELETE FROM ${table} WHERE agent_id = $1`, [agentId]);
  }
}

export interface UnreachableChat extends BotKey {
  accountId: string;
  agentId: string;
  chat: string;
  isGroup: boolean;
  reason: string;
}

export async function markUnreachable(tx: Transaction, unreachable: UnreachableChat): Promise<void> {
  const { accountId, agentId, platform, botId, chat, reason, isGroup } = unreachable;
  await tx.query(
    `UPDATE bindings SET unreachable_place = $5, unreachable_reason = $6
      WHERE account_id = $1 AND agent_id = $2 AND platform = $3 AND bot_id = $4 AND ($7 OR place = $5)`,
    [accountId, agentId, platform, botId, chat, reason, isGroup],
  );
}

/** Something came from the chat, or was shown there. */
export async function clearUnreachable(database: Database, { platform, botId }: BotKey, chat: string): Promise<void> {
  await database.query(
    `UPDATE bindings SET unreachable_place = NULL, unreachable_reason = NULL
      WHERE platform = $1 AND bot_id = $2 AND unreachable_place = $3`,
    [platform, botId, chat],
  );
}

/** Newest first. */
export async function listMoves(
  database: Database,
  { platform, botId }: BotKey,
): Promise<{ chat: string; to: string }[]> {
  const rows = await database.query<{ room: string; moved_to: string }>(
    `SELECT room, moved_to FROM room_moves WHERE platform = $1 AND bot_id = $2 ORDER BY moved_at DESC LIMIT ${MAX_MOVES}`,
    [platform, botId],
  );
  return rows.map(({ room, moved_to: to }) => ({ chat: room, to }));
}

/** Permanently, also in the bindings that name the chat. */
export async function recordMove(
  tx: Transaction,
  { platform, botId }: BotKey,
  chat: string,
  to: string,
): Promise<void> {
  await tx.query(
    `INSERT INTO room_moves (platform, bot_id, room, moved_to) VALUES ($1, $2, $3, $4)
     ON CONFLICT (platform, bot_id, room) DO UPDATE SET moved_to = EXCLUDED.moved_to, moved_at = now()`,
    [platform, botId, chat, to],
  );
  await tx.query(`UPDATE bindings SET place = $4 WHERE platform = $1 AND bot_id = $2 AND place = $3`, [
    platform,
    botId,
    chat,
    to,
  ]);
}
