import { turnInterrupted } from '#lib/contracts';
import type { Transaction } from '#lib/database';
import type { Ended } from './complete-turn.js';
import { freeAgent } from './free-agent.js';
import type { LockedTurn } from './locked-turn.js';

/** Ends a cancelled turn: its batch counts as read and is not answered again; what was said goes into the event. */
export async function endInterrupted(tx: Transaction, turn: LockedTurn, partialReply: string): Promise<Ended> {
  const said = partialReply.toWellFormed().replaceAll('\0', '');
  await tx.query(
    `WITH batch AS (
       UPDATE messages SET status = 'read', read_at = now()
       WHERE turn_id = $1 AND role = 'user' AND status = 'delivered'
     ), conversation AS (
       UPDATE conversations SET partial_reply = '' WHERE agent_id = $2 AND id = $3
     )
     UPDATE turns SET state = 'interrupted', ended_at = now(), partial_reply = $4 WHERE id = $1`,
    [turn.id, turn.agentId, turn.conversationId, said],
  );
  await tx.outbox(
    turnInterrupted,
    {
      accountId: turn.accountId,
      agentId: turn.agentId,
      turnId: turn.id,
      messageIds: turn.messageIds,
      partialReply: said,
    },
    turn.agentId,
  );
  const hasMoreWork = await freeAgent(tx, turn.agentId, turn.id);
  return { agentId: turn.agentId, settledIds: turn.messageIds, hasMoreWork };
}
