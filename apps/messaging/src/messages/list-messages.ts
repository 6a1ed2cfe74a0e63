import { listMessages as contract, MessageInQueue, RoostError } from '#lib/contracts';
import type { Database } from '#lib/database';
import type { z } from 'zod';
import { MAY_BE_GONE } from '../agents/known-agents.js';
import { belongsTo } from './belongs-to.js';
import { MESSAGE_IN_QUEUE } from './waiting-for.js';

/** A page travels in one bus message of at most 32 MB; a character may take six bytes of it as an escape. */
const MAX_PAGE_CHARS = 4_000_000;

/**
 * Pages through an agent's messages by `seq`. A page of very long messages holds fewer than `limit`. Rows are the account's own; when none is found, or the agent may
 * be deleted, `assertAgent` and the cursors are asked why. Errors: VALIDATION_ERROR for a cursor of another agent, those of `assertAgent`.
 */
export async function listMessages(
  database: Database,
  accountId: string,
  query: z.output<typeof contract.input>,
  assertAgent: () => Promise<void>,
): Promise<z.output<typeof contract.output>> {
  const values: unknown[] = [query.agentId, accountId];
  const conditions = ['agent_id = $1', 'account_id = $2'];
  const narrow = (condition: string, value: unknown) => {
    values.push(value);
    conditions.push(condition.replace('?', `$${values.length}`));
  };
  const seqOfCursor = `(SELECT seq FROM messages WHERE id = ? AND ${belongsTo('$1', '$2')})`;
  if (query.before) narrow(`seq < ${seqOfCursor}`, query.before);
  if (query.after) narrow(`seq > ${seqOfCursor}`, query.after);
  if (query.status) narrow('status = ?', query.status);
  if (query.channel) narrow('channel = ?', query.channel);
  if (query.conversationId) narrow('conversation_id = ?', query.conversationId);
  const limit = Number(query.limit);
  // After a cursor the page begins there; otherwise it is the newest ones.
  const isForward = query.after !== undefined;
  const rows = await database.query<{ message: unknown; may_be_gone: boolean }>(
    `SELECT ${MESSAGE_IN_QUEUE} AS message, ${MAY_BE_GONE} FROM messages m WHERE ${conditions.join(' AND ')}
     ORDER BY seq ${isForward ? 'ASC' : 'DESC'} LIMIT ${limit + 1}`,
    values,
  );
  if (rows.length === 0 || rows[0]?.may_be_gone) await assertAgent();
  if (rows.length === 0) {
    await assertCursor(database, accountId, query.agentId, 'before', query.before);
    await assertCursor(database, accountId, query.agentId, 'after', query.after);
  }
  const messages = fitting(rows.slice(0, limit).map((row) => MessageInQueue.parse(row.message)));
  return { messages: isForward ? messages : messages.reverse(), hasMore: rows.length > messages.length };
}

/** As many from the begin as one page carries. */
function fitting(messages: MessageInQueue[]): MessageInQueue[] {
  let chars = 0;
  const end = messages.findIndex(({ content }) => (chars += content.length) > MAX_PAGE_CHARS);
  return end > 0 ? messages.slice(0, end) : messages;
}

/** A cursor that is no message of the agent finds nothing, as the end of the list does: tell the two apart. */
async function assertCursor(
  database: Database,
  accountId: string,
  agentId: string,
  field: string,
  messageId: string | undefined,
): Promise<void> {
  if (messageId === undefined) return;
  const [row] = await database.query(`SELECT 1 FROM messages WHERE id = $1 AND ${belongsTo('$2', '$3')}`, [
    messageId,
    agentId,
    accountId,
  ]);
  if (row) return;
  throw new RoostError('VALIDATION_ERROR', `${field} is not a message of this agent`, [
    { field, reason: 'unknown_cursor' },
  ]);
}
