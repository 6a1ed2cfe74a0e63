import type { Transaction } from '#lib/database';
import type { Ended } from './complete-turn.js';
import { type Fence, lockTurn } from './locked-turn.js';
import { returnBatch } from './return-batch.js';

/** Puts a turn's messages back as they were, its try not counted. Errors: CONFLICT (lease lost). */
export async function releaseTurn(tx: Transaction, fence: Fence, isFenced: boolean): Promise<Ended | undefined> {
  const turn = await lockTurn(tx, fence, 'released', isFenced);
  if (turn.state !== 'running') return undefined;
  return returnBatch(tx, turn, {
    state: 'released',
    error: { code: 'INTERNAL', message: 'the turn was handed back' },
    maxAttempts: 2 ** 31 - 1,
    delayMs: 0,
    batchMax: null,
    countsAsTry: false,
    partialReply: turn.partialReply,
  });
}
