import { type failTurn, type interruptedTurn, messageFailed, turnInterrupted } from '#lib/contracts';
import type { Transaction } from '#lib/database';
import type { z } from 'zod';
import { MESSAGE_COLUMNS, type MessageRow, toMessage } from '../messages/message-row.js';
import { endTurn, type Fence, holdTurn } from './turn-lease.js';

const MAX_ATTEMPTS = 5;
const BACKOFF_MS = [1_000, 5_000, 15_000, 60_000];

/** Puts the batch back with backoff, or gives its messages the error for good. Errors: CONFLICT (lease lost). */
export async function fail(
  tx: Transaction,
  failure: z.output<typeof failTurn.input>,
): Promise<{ willRetry: boolean; agentId: string }> {
  const turn = await holdTurn(tx, failure);
  const willRetry = failure.retryable && turn.attempt < MAX_ATTEMPTS;
  await endTurn(tx, turn.id, 'failed', [], failure.partialReply);
  if (willRetry) {
    const backoffMs = BACKOFF_MS[turn.attempt - 1] ?? 60_000;
    await tx.query(
      `UPDATE messages SET status = 'pending', turn_id = NULL, delivered_at = NULL, attempts = $3, not_before = now() + $2 * interval '1 ms'
       WHERE turn_id = $1 AND role = 'user'`,
      [turn.id, backoffMs, turn.attempt],
    );
    return { willRetry, agentId: turn.agent_id };
  }
  const messages = await tx.query<MessageRow>(
    `UPDATE messages SET status = 'read', read_at = now(), error = $2 WHERE turn_id = $1 AND role = 'user' RETURNING ${MESSAGE_COLUMNS}`,
    [turn.id, JSON.stringify(failure.error)],
  );
  await tx.outbox(
    messageFailed,
    {
      accountId: turn.account_id,
      agentId: turn.agent_id,
      turnId: turn.id,
      messages: messages.map(toMessage),
      error: failure.error,
    },
    turn.agent_id,
  );
  return { willRetry, agentId: turn.agent_id };
}

/** Ends a cancelled turn: its batch is done with, what was said is kept with the turn. Errors: CONFLICT. */
export async function interrupted(
  tx: Transaction,
  end: z.output<typeof interruptedTurn.input>,
): Promise<{ agentId: string }> {
  const turn = await holdTurn(tx, end);
  await endTurn(tx, turn.id, 'interrupted', [], end.partialReply);
  const messages = await tx.query<{ id: string }>(
    `UPDATE messages SET status = 'read', read_at = now() WHERE turn_id = $1 AND role = 'user' RETURNING id`,
    [turn.id],
  );
  await tx.outbox(
    turnInterrupted,
    {
      accountId: turn.account_id,
      agentId: turn.agent_id,
      turnId: turn.id,
      messageIds: messages.map(({ id }) => id),
      partialReply: end.partialReply,
    },
    turn.agent_id,
  );
  return { agentId: turn.agent_id };
}

/** Puts the batch back as it was: its worker shuts down before it said anything. Errors: CONFLICT. */
export async function release(tx: Transaction, fence: Fence): Promise<void> {
  const turn = await holdTurn(tx, fence);
  await endTurn(tx, turn.id, 'released');
  await tx.query(
    `UPDATE messages SET status = 'pending', turn_id = NULL, delivered_at = NULL, attempts = GREATEST(attempts - 1, 0) WHERE turn_id = $1 AND role = 'user'`,
    [turn.id],
  );
}
