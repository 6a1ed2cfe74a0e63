import {
  type completeTurn as completeContract,
  type failTurn as failContract,
  type releaseTurn as releaseContract,
  type suspendTurn as suspendContract,
  turnInterrupted,
} from '#lib/contracts';
import { newId, storableText, type Transaction } from '#lib/database';
import type { z } from 'zod';
import { insertApprovals, resumeRun } from '../approvals/suspensions.repository.js';
import { completeLocked, interruptLocked, type ReturnedBatch, returnLocked } from './turn-ends.repository.js';
import { type Fence, freeAgent, type LockedTurn, lockExpiredTurn, lockTurn } from './turns.repository.js';

export const MAX_ATTEMPTS = 5;
/** Workers are lost by restarts and crashes that are not the message's; one that ends every worker must still end itself. */
export const MAX_LOST_WORKERS = 10;
/** What no smaller batch would cure. */
const NOT_OF_THE_MESSAGE = new Set(['BALANCE_EXHAUSTED', 'MODEL_PRICE_UNKNOWN', 'AGENT_UNAVAILABLE', 'NOT_FOUND']);
/** From this try on the batch is halved: one bad message may be what makes it fail. */
const SPLIT_FROM_ATTEMPT = 3;
const MAX_DELAY_MS = 60_000;

const INTERRUPTED = {
  code: 'INTERRUPTED',
  message: 'a newer message interrupted the turn before it was answered; the text so far is in the transcript',
};

const CANCELLED = {
  code: 'CANCELLED',
  message: 'the run was cancelled before it was answered; what was said so far is in the transcript',
};
const AGENT_STOPPED = { code: 'AGENT_STOPPED', message: 'the agent was stopped, or went to error, while it ran' };
const SUSPENDED = { code: 'APPROVAL_NEEDED', message: 'a person is asked about what it is about to do' };
const HANDED_BACK = { code: 'HANDED_BACK', message: 'its worker handed it back, to be gone on with by another' };

export interface Ended {
  agentId: string;
  /** Whose waiters are to be notified. */
  finishedIds: string[];
  hasMoreWork: boolean;
}

/** Records a turn's replies and ends it; again changes nothing. Errors: CONFLICT (lease lost). */
export async function completeTurn(
  tx: Transaction,
  { replies, usage, ...fence }: z.output<typeof completeContract.input>,
): Promise<Ended & { replyIds: string[] }> {
  const turn = await lockTurn(tx, fence, 'completed');
  if (turn.state === 'completed') {
    return { agentId: turn.agentId, finishedIds: [], hasMoreWork: false, replyIds: turn.replyIds };
  }
  const rows = replies.map((content) => ({ id: `msg_${newId()}`, content: storableText(content) }));
  const hasMoreWork = await completeLocked(tx, turn, rows, usage);
  return { agentId: turn.agentId, finishedIds: turn.messageIds, hasMoreWork, replyIds: rows.map(({ id }) => id) };
}

/**
 * Ends a turn that failed. Passing failures are tried again with doubled delays, never sooner than after `retryAfterMs`;
 * others end the messages' wait, but a batch is halved first, so that only the message that cannot be answered gets the
 * error. Errors: CONFLICT (lease lost).
 */
export async function failTurn(
  tx: Transaction,
  { error, retryable, partialReply, retryAfterMs = 0, ...fence }: z.output<typeof failContract.input>,
  { retryBaseMs }: { retryBaseMs: number },
): Promise<Ended & { willRetry: boolean }> {
  const turn = await lockTurn(tx, fence, 'failed');
  if (turn.state !== 'running') {
    return { agentId: turn.agentId, finishedIds: [], hasMoreWork: false, willRetry: turn.willRetry };
  }
  if (turn.isInterrupted) return { ...(await endInterrupted(tx, turn, partialReply)), willRetry: false };
  // What breaks because the agent was stopped under it is not the message's fault.
  if (turn.isStopped) return handBack(tx, turn, retryable ? partialReply : '', AGENT_STOPPED);
  const size = turn.messageIds.length;
  const half = size > 1 ? Math.ceil(size / 2) : null;
  const isSplit = !retryable && half !== null && !NOT_OF_THE_MESSAGE.has(error.code);
  const backoffMs = Math.min(retryBaseMs * 2 ** (turn.attempt - 1), MAX_DELAY_MS) * (0.8 + Math.random() * 0.4);
  // Of the many that a provider has asked at once, not all come back in the same moment.
  const delayMs = Math.max(backoffMs, retryAfterMs * (1 + Math.random() * 0.1));
  return returnBatch(tx, turn, {
    state: 'failed',
    error,
    maxAttempts: retryable ? MAX_ATTEMPTS : isSplit ? 2 ** 31 - 1 : 0,
    delayMs: retryable ? Math.ceil(delayMs) : 0,
    batchMax: isSplit || (retryable && turn.attempt >= SPLIT_FROM_ATTEMPT) ? half : null,
    countsAsTry: !isSplit,
    partialReply: retryable ? partialReply : '',
  });
}

/** Puts a turn's messages back as they were, its try not counted. Errors: CONFLICT (lease lost). */
export async function releaseTurn(
  tx: Transaction,
  { reason, ...fence }: z.output<typeof releaseContract.input>,
): Promise<Ended | undefined> {
  const turn = await lockTurn(tx, fence, 'released');
  if (turn.state !== 'running') return undefined;
  // Its user has asked for something else meanwhile: in the queue it would be answered after all.
  if (turn.isInterrupted) return endInterrupted(tx, turn, turn.partialReply);
  return handBack(tx, turn, turn.partialReply, turn.isStopped ? AGENT_STOPPED : (reason ?? HANDED_BACK));
}

/**
 * Ends an attempt whose run waits for approvals: nothing is held for it, and its messages wait. A turn that was interrupted
 * meanwhile ends as that. Errors: CONFLICT (lease lost).
 */
export async function suspendTurn(
  tx: Transaction,
  { calls, approvers, expiresAfterSeconds, partialReply, ...fence }: z.output<typeof suspendContract.input>,
): Promise<Ended & { suspended: boolean }> {
  const turn = await lockTurn(tx, fence, 'suspended');
  if (turn.state !== 'running') return { agentId: turn.agentId, finishedIds: [], hasMoreWork: false, suspended: true };
  if (turn.isInterrupted) return { ...(await endInterrupted(tx, turn, partialReply)), suspended: false };
  await insertApprovals(tx, turn, { calls, approvers, expiresAfterSeconds, partialReply: storableText(partialReply) });
  const ended = await returnBatch(tx, turn, {
    state: 'suspended',
    error: SUSPENDED,
    maxAttempts: 2 ** 31 - 1,
    delayMs: 0,
    batchMax: null,
    countsAsTry: false,
    partialReply,
  });
  // An earlier attempt may have asked the same, and have its answers.
  const goesOn = await resumeRun(tx, { ...turn, runId: turn.runId ?? turn.id });
  return { ...ended, hasMoreWork: ended.hasMoreWork || goesOn, suspended: true };
}

/**
 * Takes one turn away from a worker that fell silent; undefined when there is none but those `tried`, to which it is
 * added.
 */
export async function expireTurn(tx: Transaction, tried = new Set<string>()): Promise<Ended | undefined> {
  const turn = await lockExpiredTurn(tx, [...tried]);
  if (!turn) return undefined;
  tried.add(turn.id);
  // Its user has asked for something else meanwhile: answering it now would be answering it twice.
  if (turn.isInterrupted) return endInterrupted(tx, turn, turn.partialReply);
  return returnBatch(tx, turn, {
    state: 'expired',
    error: { code: 'WORKER_LOST', message: 'the worker that answered this message was lost several times' },
    maxAttempts: MAX_LOST_WORKERS,
    delayMs: 0,
    batchMax: turn.attempt >= 3 && turn.messageIds.length > 1 ? Math.ceil(turn.messageIds.length / 2) : null,
    countsAsTry: true,
    partialReply: turn.partialReply,
  });
}

/**
 * Takes a worker's report that it stopped because its turn was cancelled. The batch of an agent that was stopped, or is
 * in error, waits for it to be active again; that of an interrupted turn is not answered. Errors: CONFLICT (lease lost).
 */
export async function endCancelled(tx: Transaction, fence: Fence, partialReply: string): Promise<Ended | undefined> {
  const turn = await lockTurn(tx, fence, 'interrupted');
  if (turn.state !== 'running') return undefined;
  return turn.isInterrupted ? endInterrupted(tx, turn, partialReply) : handBack(tx, turn, partialReply, AGENT_STOPPED);
}

/** Ends an interrupted turn: its batch counts as read and is not answered again; the text so far goes into the event. */
export async function endInterrupted(tx: Transaction, turn: LockedTurn, partialReply: string): Promise<Ended> {
  const partial = storableText(partialReply);
  await interruptLocked(tx, turn, partial, turn.isCancelled ? CANCELLED : INTERRUPTED);
  await tx.outbox(
    turnInterrupted,
    {
      accountId: turn.accountId,
      agentId: turn.agentId,
      turnId: turn.id,
      messageIds: turn.messageIds,
      conversationId: turn.conversationId,
      partialReply: partial,
    },
    turn.agentId,
  );
  const hasMoreWork = await freeAgent(tx, turn.agentId, turn.id);
  return { agentId: turn.agentId, finishedIds: turn.messageIds, hasMoreWork };
}

/** Ends a turn without an answer: its messages wait again, or get the error when they have no try left. */
async function returnBatch(
  tx: Transaction,
  turn: LockedTurn,
  batch: ReturnedBatch,
): Promise<Ended & { willRetry: boolean }> {
  const { failedIds, willRetry } = await returnLocked(tx, turn, {
    ...batch,
    partialReply: storableText(batch.partialReply),
  });
  const hasMoreWork = await freeAgent(tx, turn.agentId, turn.id);
  return { agentId: turn.agentId, finishedIds: failedIds, hasMoreWork, willRetry };
}

/** Puts the batch of a turn that was ended for no fault of its own back into the queue. */
function handBack(tx: Transaction, turn: LockedTurn, partialReply: string, reason: { code: string; message: string }) {
  return returnBatch(tx, turn, {
    state: 'released',
    error: reason,
    maxAttempts: 2 ** 31 - 1,
    delayMs: 0,
    batchMax: null,
    countsAsTry: false,
    partialReply,
  });
}
