import { RoostError } from '#lib/contracts';
import type { Transaction } from '#lib/database';

export interface Fence {
  turnId: string;
  fencingToken: number;
}

export interface HeldTurn {
  id: string;
  account_id: string;
  agent_id: string;
  conversation_id: string;
  attempt: number;
  cancelled: boolean;
}

/** Locks a turn for a write by the holder of its lease. Errors: CONFLICT when the lease was lost or the turn ended. */
export async function holdTurn(tx: Transaction, { turnId, fencingToken }: Fence): Promise<HeldTurn> {
  const [turn] = await tx.query<HeldTurn>(
    `SELECT id, account_id, agent_id, conversation_id, attempt, cancelled FROM turns WHERE id = $1 AND fencing_token = $2 AND state = 'running' FOR UPDATE`,
    [turnId, fencingToken],
  );
  if (!turn)
    throw new RoostError('CONFLICT', 'the lease of this turn is lost: what it said is discarded', [
      { reason: 'lease_lost' },
    ]);
  return turn;
}

export async function endTurn(
  tx: Transaction,
  turnId: string,
  state: string,
  replyIds: string[] = [],
  partialReply?: string,
): Promise<void> {
  await tx.query(
    `UPDATE turns SET state = $2, ended_at = now(), reply_ids = $3, partial_reply = COALESCE($4, partial_reply) WHERE id = $1`,
    [turnId, state, replyIds, partialReply ?? null],
  );
}

/** Extends the lease and keeps what was said so far. Errors: CONFLICT. */
export async function extendLease(tx: Transaction, fence: Fence, leaseMs: number, partialReply: string | undefined) {
  const turn = await holdTurn(tx, fence);
  await tx.query(
    `UPDATE turns SET lease_until = now() + $2 * interval '1 ms', partial_reply = COALESCE($3, partial_reply) WHERE id = $1`,
    [turn.id, leaseMs, partialReply ?? null],
  );
  const [waiting] = await tx.query<{ count: string }>(
    `SELECT count(*) FROM messages WHERE agent_id = $1 AND status = 'pending'`,
    [turn.agent_id],
  );
  return { cancelled: turn.cancelled, waitingMessages: Number(waiting?.count ?? 0) };
}
