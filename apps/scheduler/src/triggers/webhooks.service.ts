import { callThatStarts, MessageId, RoostError } from '#lib/contracts';
import { newId, type Transaction } from '#lib/database';
import { lockAgent } from '../agents/agents.repository.js';
import { findDelivery, insertDelivery, type SendableExecution } from '../executions/executions.repository.js';
import { countDelivery, lockSecondsAhead, type TriggerRow } from './triggers.repository.js';

/** 60 a minute, 120 at once: one second each, at most so many ahead of the clock. */
const BURST_SECONDS = 119;

export type Accepted = { messageId: string; executionId: string } | { execution: SendableExecution };

/**
 * Records a verified delivery, for the caller to send. One that was accepted before returns its first result, or is
 * sent again (as the same message) when that is not known yet. Errors: RATE_LIMITED, AGENT_UNAVAILABLE, NOT_FOUND.
 */
export async function acceptDelivery(
  tx: Transaction,
  trigger: TriggerRow,
  deliveryId: string | null,
  content: string,
): Promise<Accepted> {
  await spend(tx, trigger.id);
  const earlier = deliveryId === null ? undefined : await findDelivery(tx, trigger.id, deliveryId);
  if (earlier)
    return earlier.message_id === null
      ? { execution: earlier }
      : { messageId: MessageId.parse(earlier.message_id), executionId: earlier.id };
  const { status } = await lockAgent(tx, trigger.agent_id, trigger.account_id);
  if (status === 'stopped' || status === 'error')
    throw new RoostError(
      'AGENT_UNAVAILABLE',
      `the agent cannot be woken: ${callThatStarts(trigger.agent_id)}`,
      [{ reason: status }],
      30,
    );
  return { execution: await insertDelivery(tx, newId(), trigger, deliveryId, content) };
}

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
  refuseFlood(await lockSecondsAhead(tx, triggerId));
  await countDelivery(tx, triggerId);
}
