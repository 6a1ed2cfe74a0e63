import { RoostError } from '#lib/contracts';
import { type Database, storableText, type Transaction } from '#lib/database';
import { inBatches, SWEEP_BATCH } from '#lib/sweeps';

/** A turn whose agent is locked: nobody else changes either until the transaction ends. */
export interface LockedTurn {
  id: string;
  agentId: string;
  accountId: string;
  conversationId: string;
  state: 'running' | 'completed' | 'failed' | 'interrupted' | 'released' | 'expired' | 'suspended';
  /** A newer message replaced it: the batch is not answered. */
  isInterrupted: boolean;
  /** Its owner cancelled the run, which is one way to be interrupted. */
  isCancelled: boolean;
  /** The run that this continues; null for a first attempt, which is its run itself. */
  runId: string | null;
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

/** The SQL by which turns are locked, extended, freed and swept; how they are claimed and end has its own files. */

const COLUMNS = `t.id, t.agent_id AS "agentId", t.account_id AS "accountId", t.conversation_id AS "conversationId",
  t.state, t.cancelled AND NOT t.stopped AS "isInterrupted", t.stopped AS "isStopped", t.attempt, t.message_ids AS "messageIds",
  t.partial_reply AS "partialReply", t.reply_ids AS "replyIds", t.will_retry AS "willRetry", t.run_id AS "runId",
  t.is_cancel_requested AS "isCancelled"`;
const JOIN = `turns t JOIN agents a ON a.agent_id = t.agent_id`;

/**
 * Locks a turn for a worker's report. Errors: CONFLICT when the token is not the turn's, when another worker has
 * taken it over, or when it ended in another way than `mayBe`, the state that the same report would have left.
 */
export async function lockTurn(
  tx: Transaction,
  { turnId, fencingToken }: Fence,
  mayBe: LockedTurn['state'],
): Promise<LockedTurn> {
  const [turn] = await tx.query<LockedTurn>(
    `SELECT ${COLUMNS} FROM ${JOIN} WHERE t.id = $1 AND t.fencing_token = $2 FOR UPDATE OF a, t`,
    [turnId, fencingToken],
  );
  if (!turn || (turn.state !== 'running' && turn.state !== mayBe)) {
    throw new RoostError('CONFLICT', 'the turn is not this worker’s any more');
  }
  return turn;
}

/** Locks one turn whose lease is over, if there is one but those passed over that nobody is busy with. */
export async function lockExpiredTurn(tx: Transaction, passedOver: string[]): Promise<LockedTurn | undefined> {
  const [turn] = await tx.query<LockedTurn>(
    `SELECT ${COLUMNS} FROM ${JOIN} WHERE t.state = 'running' AND t.lease_until < clock_timestamp() AND t.id <> ALL($1::uuid[])
     ORDER BY t.lease_until LIMIT 1 FOR UPDATE OF a, t SKIP LOCKED`,
    [passedOver],
  );
  return turn;
}

/** Extends a running turn's lease and keeps the text so far. Errors: CONFLICT (lease lost). */
export async function heartbeatTurn(
  database: Database,
  { turnId, fencingToken, partialReply }: Fence & { partialReply?: string | undefined },
  leaseMs: number,
): Promise<{ cancelled: boolean; stopped: boolean; lacksBudget: boolean; waitingMessages: number }> {
  const [turn] = await database.query<{
    cancelled: boolean;
    stopped: boolean;
    lacks_budget: boolean;
    waiting: string;
  }>(
    `WITH turn AS (
       UPDATE turns SET lease_until = clock_timestamp() + $3::int * interval '1 ms',
         partial_reply = coalesce($4, partial_reply)
       WHERE id = $1 AND fencing_token = $2 AND state = 'running'
       RETURNING agent_id, conversation_id, cancelled, stopped
     )
     SELECT cancelled, stopped, (SELECT lacks_budget FROM agents a WHERE a.agent_id = turn.agent_id) AS lacks_budget,
       (SELECT count(*) FROM messages m WHERE m.agent_id = turn.agent_id
       AND m.conversation_id = turn.conversation_id AND m.status = 'pending') AS waiting FROM turn`,
    [turnId, fencingToken, leaseMs, partialReply === undefined ? null : storableText(partialReply)],
  );
  if (!turn) throw new RoostError('CONFLICT', 'the turn is not this worker’s any more');
  return {
    cancelled: turn.cancelled,
    stopped: turn.stopped,
    lacksBudget: turn.lacks_budget,
    waitingMessages: Number(turn.waiting),
  };
}

/**
 * When the agent $n has something to claim: since now, or from its first retry on. Those that only wait for a retry are
 * not among those that can be claimed, so that no claim has to pass over them.
 */
export const nextClaim = (agent: string) =>
  `(next_at, retry_at) = (
    SELECT CASE WHEN min(ready_at) <= now() THEN now() END, CASE WHEN min(ready_at) > now() THEN min(ready_at) END
    FROM conversations c WHERE c.agent_id = ${agent}::uuid)`;

/** Lets the agent's next turn be claimed; returns whether there is one. The last step of every end of a turn. */
export async function freeAgent(tx: Transaction, agentId: string, turnId: string): Promise<boolean> {
  const [agent] = await tx.query<{ next_at: Date | null }>(
    `UPDATE agents SET running_turn = NULL, ${nextClaim('$1')}
     WHERE agent_id = $1 AND running_turn = $2 RETURNING next_at`,
    [agentId, turnId],
  );
  return (agent?.next_at ?? null) !== null;
}

/** Ended turns are retained as runs that can be looked at. A run that waits for another attempt stays. */
export async function sweepEndedTurns(database: Database, days: number, signal?: AbortSignal): Promise<void> {
  const some = `
    DELETE FROM turns WHERE id = ANY(ARRAY(
       SELECT id FROM turns WHERE ended_at < now() - $1::int * interval '1 day'
         AND run_status IS DISTINCT FROM 'waiting' AND run_status IS DISTINCT FROM 'running'
       ORDER BY ended_at LIMIT ${SWEEP_BATCH})) RETURNING 1`;
  await inBatches(() => database.query(some, [days]), signal);
}

/** Conditions of partial indexes: counting costs by what waits and runs, not by the history. */
const COUNTED = {
  pending: `messages WHERE status = 'pending'`,
  running: `turns WHERE state = 'running'`,
  expired: `turns WHERE state = 'running' AND lease_until < clock_timestamp()`,
};

export async function countOf(database: Database, what: keyof typeof COUNTED): Promise<number> {
  const [row] = await database.query<{ count: string }>(`SELECT count(*) FROM ${COUNTED[what]}`);
  return Number(row?.count ?? 0);
}

/** Of the agents that could be claimed now, how long the one has been ready that was first; 0 when there is none. */
export async function oldestReadySeconds(database: Database): Promise<number> {
  const [row] = await database.query<{ seconds: number }>(
    `SELECT greatest(extract(epoch FROM clock_timestamp() - next_at), 0)::float8 AS seconds FROM agents
     WHERE next_at <= now() AND running_turn IS NULL AND status = 'active' ORDER BY next_at LIMIT 1`,
  );
  return row?.seconds ?? 0;
}
