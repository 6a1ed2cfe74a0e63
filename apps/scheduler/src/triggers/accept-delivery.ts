import { MessageId, RoostError } from '#lib/contracts';
import { newId, type Transaction } from '#lib/database';
import { holdAgent } from '../agents/known-agent.js';
import type { Sendable } from '../firing/send-executions.js';
import type { TriggerRow } from './trigger-row.js';

/** 60 a minute, 120 at once: one second each, at most so many ahead of the clock. */
const BURST_SECONDS = 119;
const SENDABLE = 'id, account_id, agent_id, schedule_id, trigger_id, content, metadata, queue_mode';

export type Accepted = { messageId: string; executionId: string } | { execution: Sendable };

/**
 * Writes down a proven delivery, for the caller to send. One that was accepted before gives its first result, or is
 * sent again (as the same message) when nobody knows yet. Errors: RATE_LIMITED, AGENT_UNAVAILABLE, NOT_FOUND.
 */
export async function acceptDelivery(
  tx: Transaction,
  trigger: TriggerRow,
  deliveryId: string | null,
  content: string,
): Promise<Accepted> {
  await spend(tx, trigger.id);
  const earlier = deliveryId === null ? undefined : await findDelivery(tx, trigger.id, deliveryId);
  if (earlier) return earlier;
  const { status } = await holdAgent(tx, trigger.agent_id, trigger.account_id);
  if (status === 'stopped' || status === 'error')
    throw new RoostError(
      'AGENT_UNAVAILABLE',
      'the agent cannot be woken: set its status to active',
      [{ reason: status }],
      30,
    );
  // The lease on sending is this request's: the sender takes over only if it does not end.
  const [execution] = await tx.query<Sendable>(
    `INSERT INTO executions (id, account_id, agent_id, trigger_id, scheduled_for, delivery_id, status, content, metadata, queue_mode, send_at)
     VALUES ($1, $2, $3, $4, now(), $5, 'pending', $6, $7, 'collect', now() + interval '30 seconds') RETURNING ${SENDABLE}`,
    [
      newId(),
      trigger.account_id,
      trigger.agent_id,
      trigger.id,
      deliveryId,
      content,
      JSON.stringify({ trigger_id: trigger.id }),
    ],
  );
  return { execution: execution as Sendable };
}

/** How many seconds of its allowance a trigger has spent in advance. */
export const SECONDS_AHEAD = `CASE WHEN allowed_at = '-infinity' THEN 0 ELSE extract(epoch FROM allowed_at - clock_timestamp()) END::float`;

/** Errors: RATE_LIMITED. Asked before a body is read, too: a flood does not pay for reading what is refused. */
export function refuseFlood(secondsAhead: number): void {
  if (secondsAhead > BURST_SECONDS)
    throw new RoostError(
      'RATE_LIMITED',
      'a trigger takes 60 webhooks a minute',
      [{ reason: 'rate_limited' }],
      Math.max(1, Math.ceil(secondsAhead - BURST_SECONDS)),
    );
}

/** Takes one from the trigger's allowance; its row stays locked, so that deliveries with one id come one by one. */
async function spend(tx: Transaction, triggerId: string): Promise<void> {
  const [trigger] = await tx.query<{ ahead: number }>(
    `SELECT ${SECONDS_AHEAD} AS ahead FROM triggers WHERE id = $1 FOR UPDATE`,
    [triggerId],
  );
  if (!trigger) throw new RoostError('NOT_FOUND', 'there is no such trigger');
  refuseFlood(trigger.ahead);
  await countDelivery(tx, triggerId);
}

/** Takes one from the allowance: of a webhook that was read and is refused, too. */
export async function countDelivery(database: Pick<Transaction, 'query'>, triggerId: string): Promise<void> {
  await database.query(
    `UPDATE triggers SET allowed_at = GREATEST(allowed_at, clock_timestamp()) + interval '1 second' WHERE id = $1`,
    [triggerId],
  );
}

async function findDelivery(tx: Transaction, triggerId: string, deliveryId: string): Promise<Accepted | undefined> {
  const [row] = await tx.query<Sendable & { message_id: string | null }>(
    `SELECT ${SENDABLE}, message_id FROM executions WHERE trigger_id = $1 AND delivery_id = $2`,
    [triggerId, deliveryId],
  );
  if (!row) return undefined;
  return row.message_id === null
    ? { execution: row }
    : { messageId: MessageId.parse(row.message_id), executionId: row.id };
}
