import type { Transaction } from '#lib/database';
import { cancelPending, suspendedRuns } from '../approvals/suspensions.repository.js';
import type { LockedTurn } from '../turns/turns.repository.js';
import { type Ended, endInterrupted } from '../turns/turns.service.js';
import { lastAttempt, readyAfterCancel, takeWaitingBatch } from './runs.repository.js';

const BATCH = 100;

/** Ends a run of which no attempt runs: its messages are not answered, and what it waits for is asked no more. */
export async function endWaiting(tx: Transaction, last: LockedTurn, comesFirst = false): Promise<Ended> {
  await takeWaitingBatch(tx, last);
  const ended = await endInterrupted(tx, last, last.partialReply);
  await cancelPending(tx, last);
  await readyAfterCancel(tx, last, comesFirst);
  return ended;
}

/**
 * Ends runs that wait for approvals, under their agent's lock: those of the conversations, or the first of all. An
 * interrupted conversation is the agent's next.
 */
export async function endSuspended(
  tx: Transaction,
  agentId: string,
  conversationIds: string[] | null,
  why: 'interrupted' | 'cancelled',
): Promise<Ended[]> {
  await tx.query(`SELECT 1 FROM agents WHERE agent_id = $1 FOR UPDATE`, [agentId]);
  const ended: Ended[] = [];
  for (const { suspended_run: runId } of await suspendedRuns(tx, agentId, conversationIds, BATCH)) {
    const last = await lastAttempt(tx, runId);
    ended.push(await endWaiting(tx, { ...last, isCancelled: why === 'cancelled' }, why === 'interrupted'));
  }
  return ended;
}
