import type { Transaction } from '#lib/database';
import type { Ended } from './complete-turn.js';
import { endInterrupted } from './interrupt-turn.js';
import { lockExpiredTurn } from './locked-turn.js';
import { MAX_ATTEMPTS, returnBatch } from './return-batch.js';

/** Takes one turn away from a worker that fell silent; undefined when there is none. */
export async function expireTurn(tx: Transaction): Promise<Ended | undefined> {
  const turn = await lockExpiredTurn(tx);
  if (!turn) return undefined;
  // Its user has asked for something else meanwhile: answering it now would be answering it twice.
  if (turn.isInterrupted) return endInterrupted(tx, turn, turn.partialReply);
  return returnBatch(tx, turn, {
    state: 'expired',
    error: { code: 'WORKER_LOST', message: 'the worker that answered this message was lost several times' },
    maxAttempts: MAX_ATTEMPTS,
    delayMs: 0,
    batchMax: turn.attempt >= 3 && turn.messageIds.length > 1 ? Math.ceil(turn.messageIds.length / 2) : null,
    countsAsTry: true,
    partialReply: turn.partialReply,
  });
}
