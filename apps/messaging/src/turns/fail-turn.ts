import type { failTurn as contract } from '#lib/contracts';
import type { Transaction } from '#lib/database';
import type { z } from 'zod';
import type { Ended } from './complete-turn.js';
import { endInterrupted } from './interrupt-turn.js';
import { lockTurn } from './locked-turn.js';
import { handBack, MAX_ATTEMPTS, returnBatch } from './return-batch.js';

/** What no smaller batch would cure. */
const NOT_OF_THE_MESSAGE = new Set(['BALANCE_EXHAUSTED', 'AGENT_UNAVAILABLE', 'NOT_FOUND']);
/** From this try on the batch is halved: one bad message may be what makes it fail. */
const SPLIT_FROM_ATTEMPT = 3;
const MAX_DELAY_MS = 60_000;

/**
 * Ends a turn that failed. Passing failures are tried again with doubled delays; others end the messages' wait,
 * but a batch is halved first, so that only the message that cannot be answered gets the error.
 * Errors: CONFLICT (lease lost).
 */
export async function failTurn(
  tx: Transaction,
  { error, retryable, partialReply, ...fence }: z.output<typeof contract.input>,
  { isFenced, retryBaseMs }: { isFenced: boolean; retryBaseMs: number },
): Promise<Ended & { willRetry: boolean }> {
  const turn = await lockTurn(tx, fence, 'failed', isFenced);
  if (turn.state !== 'running') {
    return { agentId: turn.agentId, settledIds: [], hasMoreWork: false, willRetry: turn.willRetry };
  }
  if (turn.isInterrupted) return { ...(await endInterrupted(tx, turn, partialReply)), willRetry: false };
  // What breaks because the agent was stopped under it is not the message's fault.
  if (turn.isStopped) return handBack(tx, turn, retryable ? partialReply : '');
  const size = turn.messageIds.length;
  const half = size > 1 ? Math.ceil(size / 2) : null;
  const isSplit = !retryable && half !== null && !NOT_OF_THE_MESSAGE.has(error.code);
  const delayMs = Math.min(retryBaseMs * 2 ** (turn.attempt - 1), MAX_DELAY_MS) * (0.8 + Math.random() * 0.4);
  return returnBatch(tx, turn, {
    state: 'failed',
    error,
    maxAttempts: retryable ? MAX_ATTEMPTS : isSplit ? 2 ** 31 - 1 : 0,
    delayMs: retryable ? Math.round(delayMs) : 0,
    batchMax: isSplit || (retryable && turn.attempt >= SPLIT_FROM_ATTEMPT) ? half : null,
    countsAsTry: !isSplit,
    partialReply: retryable ? partialReply : '',
  });
}
