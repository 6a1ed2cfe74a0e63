import { RoostError } from '#lib/contracts';
import type { Transaction } from '#lib/database';

/** A turn whose agent is locked: nobody else changes either until the transaction ends. */
export interface LockedTurn {
  id: string;
  agentId: string;
  accountId: string;
  conversationId: string;
  state: 'running' | 'completed' | 'failed' | 'interrupted' | 'released' | 'expired';
  /** A newer message took its place: the batch is not answered. */
  isInterrupted: boolean;
  /** The agent may not act any more: the batch goes back to the queue. */
  isStopped: boolean;
  attempt: number;
  messageIds: string[];
  partialReply: string;
  replyIds: string[];
  willRetry: boolean;
}

export interface Fence {
  turnId: string;
  fencingToken: number;
}

const COLUMNS = `t.id, t.agent_id AS "agentId", t.account_id AS "accountId", t.conversation_id AS "conversationId",
  t.state, t.cancelled AND NOT t.stopped AS "isInterrupted", t.stopped AS "isStopped", t.attempt, t.message_ids AS "messageIds",
  t.partial_reply AS "partialReply", t.reply_ids AS "replyIds", t.will_retry AS "willRetry"`;
const JOIN = `turns t JOIN agents a ON a.agent_id = t.agent_id`;

/**
 * Locks a turn for a worker's report. Errors: CONFLICT when the token is not the turn's, when another worker has
 * taken it over, or when it ended in another way than `mayBe`, the state that the same report would have left.
 */
export async function lockTurn(
  tx: Transaction,
  { turnId, fencingToken }: Fence,
  mayBe: LockedTurn['state'],
  isFenced: boolean,
): Promise<LockedTurn> {
  const [turn] = await tx.query<LockedTurn>(
    `SELECT ${COLUMNS} FROM ${JOIN} WHERE t.id = $1 AND t.fencing_token = $2 FOR UPDATE OF a, t`,
    [turnId, fencingToken],
  );
  if (!turn || (isFenced && turn.state !== 'running' && turn.state !== mayBe)) {
    throw new RoostError('CONFLICT', 'the turn is not this worker’s any more');
  }
  return turn;
}

/** Locks one turn whose lease is over, if there is one that nobody is busy with. */
export async function lockExpiredTurn(tx: Transaction): Promise<LockedTurn | undefined> {
  const [turn] = await tx.query<LockedTurn>(
    `SELECT ${COLUMNS} FROM ${JOIN} WHERE t.state = 'running' AND t.lease_until < clock_timestamp()
     ORDER BY t.lease_until LIMIT 1 FOR UPDATE OF a, t SKIP LOCKED`,
  );
  return turn;
}
