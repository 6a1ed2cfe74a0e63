import { messageCompleted, type completeTurn } from '#lib/contracts';
import { newId, type Transaction } from '#lib/database';
import type { z } from 'zod';
import { MESSAGE_COLUMNS, type MessageRow, toMessage } from '../messages/message-row.js';
import { endTurn, holdTurn } from './turn-lease.js';

type Completion = z.output<typeof completeTurn.input>;

/** Records the replies and ends the turn. The same completion again gives the same replies. Errors: CONFLICT (lease lost). */
export async function complete(
  tx: Transaction,
  completion: Completion,
): Promise<{ replyIds: string[]; agentId: string | null }> {
  const [done] = await tx.query<{ reply_ids: string[] }>(
    `SELECT reply_ids FROM turns WHERE id = $1 AND fencing_token = $2 AND state = 'completed'`,
    [completion.turnId, completion.fencingToken],
  );
  if (done) return { replyIds: done.reply_ids, agentId: null };
  const turn = await holdTurn(tx, completion);
  const answered = await tx.query<MessageRow>(
    `UPDATE messages SET status = 'read', read_at = now() WHERE turn_id = $1 AND role = 'user' RETURNING ${MESSAGE_COLUMNS}`,
    [turn.id],
  );
  answered.sort((a, b) => Number(a.seq) - Number(b.seq));
  const last = answered.at(-1);
  const replies: MessageRow[] = [];
  for (const content of completion.replies) {
    replies.push(
      ...(await tx.query<MessageRow>(
        `INSERT INTO messages (id, account_id, agent_id, conversation_id, role, content, status, channel, reply_to_id, turn_id, delivered_at)
         VALUES ($1, $2, $3, $4, 'assistant', $5, 'delivered', $6, $7, $8, now()) RETURNING ${MESSAGE_COLUMNS}`,
        [
          `msg_${newId()}`,
          turn.account_id,
          turn.agent_id,
          turn.conversation_id,
          content,
          last?.channel ?? 'api',
          last?.id ?? null,
          turn.id,
        ],
      )),
    );
  }
  const replyIds = replies.map(({ id }) => id);
  await endTurn(tx, turn.id, 'completed', replyIds);
  await tx.query(`UPDATE conversations SET updated_at = now() WHERE agent_id = $1 AND id = $2`, [
    turn.agent_id,
    turn.conversation_id,
  ]);
  await tx.outbox(
    messageCompleted,
    {
      accountId: turn.account_id,
      agentId: turn.agent_id,
      turnId: turn.id,
      messages: answered.map(toMessage),
      replies: replies.map(toMessage),
      usage: completion.usage,
    },
    turn.agent_id,
  );
  return { replyIds, agentId: turn.agent_id };
}
