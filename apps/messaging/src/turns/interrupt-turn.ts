import { turnInterrupted } from '#lib/contracts';
import type { Transaction } from '#lib/database';
import type { Ended } from './complete-turn.js';
import { freeAgent } from './free-agent.js';
import { type Fence, type LockedTurn, lockTurn } from './locked-turn.js';
import { handBack } from './return-batch.js';

const INTERRUPTED = {
  code: 'INTERRUPTED',
  message: 'a newer message interrupted the turn before it was answered; what was said so far is in the transcript',
};

/**
 * Takes a worker's report that it stopped because its turn was cancelled. The batch of an agent that was stopped, or is
 * in error, waits for it to be active again; that of an interrupted turn is not answered. Errors: CONFLICT (lease lost).
 */
export async function endCancelled(
  tx: Transaction,
  fence: Fence,
  partialReply: string,
  isFenced: boolean,
): Promise<Ended | undefined> {
  const turn = await lockTurn(tx, fence, 'interrupted', isFenced);
  if (turn.state !== 'running') return undefined;
  return turn.isInterrupted ? endInterrupted(tx, turn, partialReply) : handBack(tx, turn, partialReply);
}

/** Ends an interrupted turn: its batch counts as read and is not answered again; what was said goes into the event. */
export async function endInterrupted(tx: Transaction, turn: LockedTurn, partialReply: string): Promise<Ended> {
  const said = partialReply.toWellFormed().replaceAll('\0', '');
  await tx.query(
    `WITH batch AS (
       UPDATE messages SET status = 'read', read_at = now(), error = $5::jsonb
       WHERE turn_id = $1 AND role = 'user' AND status = 'delivered'
     ), conversation AS (
       UPDATE conversations SET partial_reply = '' WHERE agent_id = $2 AND id = $3
     )
     UPDATE turns SET state = 'interrupted', ended_at = now(), partial_reply = $4 WHERE id = $1`,
    [turn.id, turn.agentId, turn.conversationId, said, JSON.stringify(INTERRUPTED)],
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
