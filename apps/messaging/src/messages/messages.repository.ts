import {
  listMessages as listContract,
  Message,
  MessageInQueue,
  type recentTexts as recentContract,
  RoostError,
} from '#lib/contracts';
import type { Database } from '#lib/database';
import type { z } from 'zod';
import { MAY_BE_GONE } from '../agents/agents.repository.js';
import { belongsTo, MESSAGE_IN_QUEUE } from './message-sql.js';

/** A page travels in one bus message of at most 32 MB; a character may take six bytes of it as an escape. */
const MAX_PAGE_CHARS = 4_000_000;

/** The SQL by which messages are read, counted and marked read. */

interface Found {
  message: MessageInQueue;
  replies: Message[];
  runId: string | null;
}
interface FoundRow {
  message: unknown;
  replies: unknown[] | null;
  run_id: string | null;
  may_be_gone: boolean;
}

/** Whether nothing more becomes of a message: it is answered, has its error, or is a reply. Errors: NOT_FOUND. */
export async function isFinished(
  database: Database,
  accountId: string,
  agentId: string,
  messageId: string,
): Promise<boolean> {
  const [row] = await database.query<{ finished: boolean }>(
    `SELECT role = 'assistant' OR status = 'read' AS finished FROM messages
     WHERE id = $1 AND ${belongsTo('$2', '$3')}`,
    [messageId, agentId, accountId],
  );
  if (!row) throw unknownMessage();
  return row.finished;
}

/**
 * A message and the replies of the turn that answered it. `assertAgent` is asked when the agent may be deleted.
 * Errors: NOT_FOUND, those of `assertAgent`.
 */
export async function getMessage(
  database: Database,
  accountId: string,
  agentId: string,
  messageId: string,
  assertAgent: () => Promise<void>,
): Promise<Found> {
  const [row] = await database.query<FoundRow>(
    `SELECT ${MESSAGE_IN_QUEUE} AS message, ${MAY_BE_GONE},
       (SELECT coalesce(t.run_id, t.id) FROM turns t WHERE t.id = m.turn_id) AS run_id,
       (SELECT jsonb_agg(wire_message(r) ORDER BY r.seq) FROM messages r
        WHERE r.turn_id = m.turn_id AND r.role = 'assistant' AND m.role = 'user') AS replies
     FROM messages m WHERE id = $2 AND ${belongsTo('$1', '$3')}`,
    [agentId, messageId, accountId],
  );
  if (!row) throw unknownMessage();
  if (row.may_be_gone) await assertAgent();
  return {
    message: MessageInQueue.parse(row.message),
    replies: (row.replies ?? []).map((reply) => Message.parse(reply)),
    runId: row.run_id,
  };
}

function unknownMessage(): RoostError {
  return new RoostError('NOT_FOUND', 'this agent has no such message');
}

/** Marks a reply read. Errors: NOT_FOUND, CONFLICT for a user's message. */
export async function markRead(
  database: Database,
  accountId: string,
  agentId: string,
  messageId: string,
): Promise<Message> {
  const [row] = await database.query<{ message: unknown }>(
    `UPDATE messages SET status = 'read', read_at = coalesce(read_at, now())
     WHERE id = $1 AND ${belongsTo('$2', '$3')} AND role = 'assistant' RETURNING wire_message(messages) AS message`,
    [messageId, agentId, accountId],
  );
  if (row) return Message.parse(row.message);
  // Says NOT_FOUND for one that is not there at all.
  await isFinished(database, accountId, agentId, messageId);
  throw new RoostError('CONFLICT', 'only a reply can be marked read; a message to the agent is read by its turn');
}

/**
 * Pages through an agent's messages by `seq`. A page of very long messages holds fewer than `limit`. Rows are the account's own; when none is found, or the agent may
 * be deleted, `assertAgent` and the cursors are asked why. Errors: VALIDATION_ERROR for a cursor of another agent, those of `assertAgent`.
 */
export async function listMessages(
  database: Database,
  accountId: string,
  query: z.output<typeof listContract.input>,
  assertAgent: () => Promise<void>,
): Promise<z.output<typeof listContract.output>> {
  const values: unknown[] = [query.agentId, accountId];
  const conditions = ['agent_id = $1', 'account_id = $2'];
  const narrow = (condition: string, value: unknown) => {
    values.push(value);
    conditions.push(condition.replace('?', `$${values.length}`));
  };
  const seqOfCursor = `(SELECT seq FROM messages WHERE id = ? AND ${belongsTo('$1', '$2')})`;
  if (query.before) narrow(`seq < ${seqOfCursor}`, query.before);
  if (query.after) narrow(`seq > ${seqOfCursor}`, query.after);
  // As constants: the indexes of what waits and of what failed answer no parameter.
  if (query.status === 'pending') conditions.push(`status = 'pending'`);
  else if (query.status === 'failed') conditions.push(`status = 'failed'`);
  else if (query.status) narrow('status = ?', query.status);
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

/** A cursor that is no message of the agent finds nothing, as the end of the list does: distinguish the two. */
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

type Texts = z.output<typeof recentContract.output>;

/**
 * The texts before a message, in the order of the conversation: a reply comes before what arrived while it was made, which the next turn
 * answers. Reads few columns, where a whole message costs ten times as much to put together and to parse. Unknown ids
 * find nothing.
 */
export async function recentTexts(
  database: Database,
  accountId: string,
  { agentId, conversationId, before, since, limit, maxChars }: z.output<typeof recentContract.input>,
): Promise<Texts> {
  const texts = await database.query<Texts['texts'][number]>(RECENT, [
    agentId,
    accountId,
    conversationId,
    before,
    since,
    limit,
    maxChars,
  ]);
  return { texts };
}

const RECENT = `
  WITH first AS MATERIALIZED (
    SELECT seq FROM messages WHERE id = $4 AND ${belongsTo('$1', '$2')}
  ), earlier AS MATERIALIZED (
    SELECT seq, role, content, turn_id,
      CASE WHEN role = 'user' THEN coalesce(delivered_at, created_at) ELSE created_at END AS sent_at
    FROM messages
    WHERE agent_id = $1 AND account_id = $2 AND conversation_id = $3 AND seq < (SELECT seq FROM first)
      AND ($5::timestamptz IS NULL OR created_at > $5)
    ORDER BY seq DESC LIMIT $6
  ), late_replies AS (
    SELECT seq, role, content, created_at AS sent_at FROM messages
    WHERE turn_id IN (SELECT turn_id FROM earlier WHERE role = 'user' AND turn_id IS NOT NULL)
      AND role = 'assistant' AND seq > (SELECT seq FROM first) AND ${belongsTo('$1', '$2')}
  )
  SELECT role, content FROM (
    SELECT role, content, sent_at, seq, row_number() OVER newest AS nth, sum(length(content)) OVER newest AS chars
    FROM (SELECT seq, role, content, sent_at FROM earlier UNION ALL SELECT * FROM late_replies) AS texts
    WINDOW newest AS (ORDER BY sent_at DESC, seq DESC)
  ) AS counted
  WHERE nth <= $6 AND chars <= $7 ORDER BY sent_at, seq`;

export async function countWaiting(database: Pick<Database, 'query'>, accountId: string): Promise<number> {
  const [row] = await database.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM messages WHERE account_id = $1 AND status = 'pending'`,
    [accountId],
  );
  return row?.count ?? 0;
}
