import { type Message, RoostError } from '#lib/contracts';
import type { Database } from '#lib/database';
import { MESSAGE_COLUMNS, type MessageRow, toMessage } from './message-row.js';
import type { ReplyWaiters } from './reply-waiters.js';

/** At the latest after this the rows are looked at again: a lost hint costs a second, not the answer. */
const RECHECK_MS = 1_000;

/** A message with its replies; waits for them if asked to. Errors: NOT_FOUND. */
export async function readMessage(
  database: Database,
  waiters: ReplyWaiters,
  query: { agentId: string; messageId: string; waitSeconds: number },
  accountId: string,
): Promise<{ message: Message; replies: Message[] }> {
  const deadline = Date.now() + query.waitSeconds * 1_000;
  for (;;) {
    const left = deadline - Date.now();
    const waiter = waiters.next(query.agentId, Math.min(Math.max(left, 0), RECHECK_MS));
    try {
      const found = await lookUp(database, query, accountId);
      if (found.isEnded || left <= 0) return found;
      await waiter.ended;
    } finally {
      waiter.cancel();
    }
  }
}

async function lookUp(
  database: Database,
  { agentId, messageId }: { agentId: string; messageId: string },
  accountId: string,
) {
  const [row] = await database.query<MessageRow & { turn_id: string | null }>(
    `SELECT ${MESSAGE_COLUMNS}, turn_id FROM messages WHERE id = $1 AND agent_id = $2 AND account_id = $3`,
    [messageId, agentId, accountId],
  );
  if (!row) throw new RoostError('NOT_FOUND', 'there is no such message');
  // Replies answer a batch: they hang on its turn, whichever message of it is asked for.
  const replies =
    row.turn_id && row.role === 'user'
      ? await database.query<MessageRow>(
          `SELECT ${MESSAGE_COLUMNS} FROM messages WHERE turn_id = $1 AND role = 'assistant' ORDER BY seq`,
          [row.turn_id],
        )
      : [];
  return {
    message: toMessage(row),
    replies: replies.map(toMessage),
    isEnded: row.status === 'read' || row.error !== null || row.role === 'assistant',
  };
}
