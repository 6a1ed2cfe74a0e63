import {
  Conversation,
  listConversations as contract,
  paginationOf,
  type pinConversation as pinContract,
  type postMessage,
  RoostError,
} from '#lib/contracts';
import type { Database, Transaction } from '#lib/database';
import type { z } from 'zod';

/** All SQL of `conversations` but what sending and turns change in the statement of their messages. */

/**
 * An agent's conversations, newest activity first. Page and total are found in the index alone: the rows are read of the
 * page, and tell whose they are.
 */
export async function listConversations(
  database: Database,
  accountId: string,
  query: z.output<typeof contract.input>,
): Promise<z.output<typeof contract.output>> {
  const page = Number(query.page);
  const limit = Number(query.limit);
  const scope = [query.agentId, accountId];
  const [total] = await database.query<{ count: string }>(
    `SELECT count(*) FROM conversations
     WHERE agent_id = $1 AND EXISTS (SELECT FROM agents WHERE agent_id = $1 AND account_id = $2)`,
    scope,
  );
  const rows = await database.query<{ conversation: unknown }>(
    `SELECT jsonb_build_object(
       'id', c.id, 'channel', c.channel,
       'counterparty', jsonb_build_object('id', c.counterparty_id, 'display_name', c.counterparty_name),
       'message_count', c.message_count, 'pinned_version', c.pinned_version,
       'unread_count', (SELECT count(*) FROM messages m WHERE m.agent_id = c.agent_id AND m.conversation_id = c.id
                          AND m.role = 'assistant' AND m.status <> 'read'),
       'last_message', (SELECT jsonb_build_object('id', m.id, 'role', m.role, 'content', left(m.content, 200),
                          'created_at', wire_time(m.created_at))
                        FROM messages m WHERE m.agent_id = c.agent_id AND m.conversation_id = c.id ORDER BY seq DESC LIMIT 1),
       'created_at', wire_time(c.created_at), 'updated_at', wire_time(c.updated_at)) AS conversation
     FROM conversations c WHERE agent_id = $1 AND account_id = $2 AND id = ANY(ARRAY(
       SELECT id FROM conversations WHERE agent_id = $1 ORDER BY updated_at DESC, id LIMIT $3 OFFSET $4))
     ORDER BY c.updated_at DESC, c.id`,
    [...scope, limit, (page - 1) * limit],
  );
  return {
    conversations: rows.map((row) => Conversation.parse(row.conversation)),
    pagination: paginationOf(page, limit, Number(total?.count ?? 0)),
  };
}

/** Makes the conversation unless it is there or no counterparty is given; returns its channel. Errors: NOT_FOUND. */
export async function openConversation(
  tx: Transaction,
  accountId: string,
  { agentId, conversationId, channel, counterparty }: z.output<typeof postMessage.input>,
): Promise<string> {
  if (counterparty)
    await tx.query(
      `INSERT INTO conversations (agent_id, id, account_id, channel, counterparty_id, counterparty_name)
       VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (agent_id, id) DO NOTHING`,
      [agentId, conversationId, accountId, channel ?? 'api', counterparty.id, counterparty.displayName],
    );
  const [conversation] = await tx.query<{ channel: string }>(
    `SELECT channel FROM conversations WHERE agent_id = $1 AND id = $2`,
    [agentId, conversationId],
  );
  if (!conversation) throw new RoostError('NOT_FOUND', 'the agent has no such conversation');
  return conversation.channel;
}

/** Errors: NOT_FOUND. */
export async function pinConversation(
  database: Database,
  accountId: string,
  { agentId, conversationId, pinnedVersion }: z.output<typeof pinContract.input>,
): Promise<z.output<typeof pinContract.output>> {
  const [row] = await database.query<{ id: string }>(
    `UPDATE conversations SET pinned_version = $4 WHERE agent_id = $1 AND id = $2 AND account_id = $3 RETURNING id`,
    [agentId, conversationId, accountId, pinnedVersion],
  );
  if (!row) throw new RoostError('NOT_FOUND', 'the agent has no such conversation');
  return { id: row.id, pinnedVersion };
}

/** How many messages each of the agents has; one without any is left out. */
export function countMessages(database: Database, accountId: string, agentIds: string[]) {
  return database.query<{ agent_id: string; count: string }>(
    `SELECT agent_id, sum(message_count) AS count FROM conversations
     WHERE agent_id = ANY($1::uuid[]) AND account_id = $2 GROUP BY agent_id`,
    [agentIds, accountId],
  );
}
