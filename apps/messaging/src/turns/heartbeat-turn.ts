import { RoostError } from '#lib/contracts';
import type { Database } from '#lib/database';
import type { Fence } from './locked-turn.js';

/** Extends a running turn's lease and keeps what was said so far. Errors: CONFLICT (lease lost). */
export async function heartbeatTurn(
  database: Database,
  { turnId, fencingToken, partialReply }: Fence & { partialReply?: string | undefined },
  leaseMs: number,
): Promise<{ cancelled: boolean; stopped: boolean; waitingMessages: number }> {
  const [turn] = await database.query<{ cancelled: boolean; stopped: boolean; waiting: string }>(
    `WITH turn AS (
       UPDATE turns SET lease_until = clock_timestamp() + $3::int * interval '1 ms',
         partial_reply = coalesce($4, partial_reply)
       WHERE id = $1 AND fencing_token = $2 AND state = 'running'
       RETURNING agent_id, conversation_id, cancelled, stopped
     )
     SELECT cancelled, stopped, (SELECT count(*) FROM messages m WHERE m.agent_id = turn.agent_id
       AND m.conversation_id = turn.conversation_id AND m.status = 'pending') AS waiting FROM turn`,
    [turnId, fencingToken, leaseMs, partialReply?.toWellFormed().replaceAll('\0', '') ?? null],
  );
  if (!turn) throw new RoostError('CONFLICT', 'the turn is not this worker’s any more');
  return { cancelled: turn.cancelled, stopped: turn.stopped, waitingMessages: Number(turn.waiting) };
}
