import type { Transaction } from '#lib/database';
import type { Ended } from './complete-turn.js';
import { endInterrupted } from './interrupt-turn.js';
import { type Fence, lockTurn } from './locked-turn.js';
import { handBack } from './return-batch.js';

/** Puts a turn's messages back as they were, its try not counted. Errors: CONFLICT (lease lost). */
export async function releaseTurn(tx: Transaction, fence: Fence, isFenced: boolean): Promise<Ended | undefined> {
  const turn = await lockTurn(tx, fence, 'released', isFenced);
  if (turn.state !== 'running') return undefined;
  // Its user has asked for something else meanwhile: in the queue it would be answered after all.
  if (turn.isInterrupted) return endInterrupted(tx, turn, turn.partialReply);
  return handBack(tx, turn, turn.partialReply);
}
