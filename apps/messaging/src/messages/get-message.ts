import { Message, MessageInQueue, RoostError } from '#lib/contracts';
import type { Database } from '#lib/database';
import { MAY_BE_GONE } from '../agents/known-agents.js';
import { belongsTo } from './belongs-to.js';
import { MESSAGE_IN_QUEUE } from './waiting-for.js';

interface Found {
  message: MessageInQueue;
  replies: Message[];
}

/** Whether nothing more becomes of a message: it is answered, has its error, or is a reply. Errors: NOT_FOUND. */
export async function isSettled(
  database: Database,
  accountId: string,
  agentId: string,
  messageId: string,
): Promise<boolean> {
  const [row] = await database.query<{ settled: boolean }>(
    `SELECT role = 'assistant' OR status = 'read' AS settled FROM messages
     WHERE id = $1 AND ${belongsTo('$2', '$3')}`,
    [messageId, agentId, accountId],
  );
  if (!row) throw unknownMessage();
  return row.settled;
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
  const [row] = await database.query<{ message: unknown; replies: unknown[] | null; may_be_gone: boolean }>(
    `SELECT ${MESSAGE_IN_QUEUE} AS message, ${MAY_BE_GONE},
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
  await isSettled(database, accountId, agentId, messageId);
  throw new RoostError('CONFLICT', 'only a reply can be marked read; a message to the agent is read by its turn');
}
