import { listMessages as contract, Message, RoostError } from '#lib/contracts';
import type { Database } from '#lib/database';
import type { z } from 'zod';

/** Pages through an agent's messages by `seq`. Errors: VALIDATION_ERROR for a cursor of another agent. */
export async function listMessages(
  database: Database,
  accountId: string,
  query: z.output<typeof contract.input>,
): Promise<z.output<typeof contract.output>> {
  const values: unknown[] = [query.agentId, accountId];
  const conditions = ['agent_id = $1', 'account_id = $2'];
  const narrow = (condition: string, value: unknown) => {
    values.push(value);
    conditions.push(`${condition} $${values.length}`);
  };
  if (query.before) narrow('seq <', await seqOf(database, accountId, query.agentId, 'before', query.before));
  if (query.after) narrow('seq >', await seqOf(database, accountId, query.agentId, 'after', query.after));
  if (query.status) narrow('status =', query.status);
  if (query.channel) narrow('channel =', query.channel);
  if (query.conversationId) narrow('conversation_id =', query.conversationId);
  const limit = Number(query.limit);
  // After a cursor the page begins there; otherwise it is the newest ones.
  const isForward = query.after !== undefined;
  const rows = await database.query<{ message: unknown }>(
    `SELECT wire_message(m) AS message FROM messages m WHERE ${conditions.join(' AND ')}
     ORDER BY seq ${isForward ? 'ASC' : 'DESC'} LIMIT ${limit + 1}`,
    values,
  );
  const messages = rows.slice(0, limit).map((row) => Message.parse(row.message));
  return { messages: isForward ? messages : messages.reverse(), hasMore: rows.length > limit };
}

async function seqOf(
  database: Database,
  accountId: string,
  agentId: string,
  field: string,
  messageId: string,
): Promise<string> {
  const [row] = await database.query<{ seq: string }>(
    `SELECT seq FROM messages WHERE id = $1 AND agent_id = $2 AND account_id = $3`,
    [messageId, agentId, accountId],
  );
  if (row) return row.seq;
  throw new RoostError('VALIDATION_ERROR', `${field} is not a message of this agent`, [
    { field, reason: 'unknown_cursor' },
  ]);
}
