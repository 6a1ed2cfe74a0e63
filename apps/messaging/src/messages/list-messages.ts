import { type listMessages, type Message, RoostError } from '#lib/contracts';
import type { Database } from '#lib/database';
import type { z } from 'zod';
import { MESSAGE_COLUMNS, type MessageRow, toMessage } from './message-row.js';

export type MessageQuery = z.output<typeof listMessages.input>;

/** Messages of one agent, oldest first; without a cursor the newest `limit`. Errors: VALIDATION_ERROR for a cursor that is not the agent's. */
export async function readMessages(
  database: Database,
  query: MessageQuery,
  accountId: string,
): Promise<{ messages: Message[]; hasMore: boolean }> {
  const before = query.before ? await cursorOf(database, query, 'before', query.before) : null;
  const after = query.after ? await cursorOf(database, query, 'after', query.after) : null;
  // From `after` on one reads forward, otherwise backward from the end.
  const isForward = after !== null && before === null;
  const rows = await database.query<MessageRow>(
    `SELECT ${MESSAGE_COLUMNS} FROM messages
     WHERE agent_id = $1 AND account_id = $2
       AND ($3::bigint IS NULL OR seq < $3) AND ($4::bigint IS NULL OR seq > $4)
       AND ($5::text IS NULL OR status = $5) AND ($6::text IS NULL OR channel = $6) AND ($7::text IS NULL OR conversation_id = $7)
     ORDER BY seq ${isForward ? 'ASC' : 'DESC'} LIMIT $8`,
    [
      query.agentId,
      accountId,
      before,
      after,
      query.status ?? null,
      query.channel ?? null,
      query.conversationId ?? null,
      query.limit + 1,
    ],
  );
  const page = rows.slice(0, query.limit);
  if (!isForward) page.reverse();
  return { messages: page.map(toMessage), hasMore: rows.length > query.limit };
}

async function cursorOf(database: Database, query: MessageQuery, field: string, id: string): Promise<string> {
  const [row] = await database.query<{ seq: string }>(`SELECT seq FROM messages WHERE id = $1 AND agent_id = $2`, [
    id,
    query.agentId,
  ]);
  if (!row)
    throw new RoostError('VALIDATION_ERROR', `${field}: is not a message of this agent`, [
      { field, reason: 'unknown_cursor' },
    ]);
  return row.seq;
}
