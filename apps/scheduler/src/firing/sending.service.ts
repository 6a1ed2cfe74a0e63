import type { Bus } from '#lib/bus';
import { ownCall } from '#lib/call-context';
import { MessageId, RoostError, sendMessage } from '#lib/contracts';
import type { Database, Transaction } from '#lib/database';
import { endUnsent, sendAgainLater, type SendableExecution } from '../executions/executions.repository.js';
import { recordSent } from '../executions/outcomes.repository.js';

/** Refusals that another try would not change. */
const PERMANENT = ['NOT_FOUND', 'VALIDATION_ERROR'];

/** Queues an execution's message. Sent twice it is still one message: messaging knows it by its dedupe key. */
export async function sendExecution(bus: Bus, execution: SendableExecution): Promise<string> {
  const channel = execution.schedule_id === null ? 'trigger' : 'schedule';
  const options = {
    // A run by hand and a webhook belong to their request's trace; a slot begins one.
    ...(execution.traceparent === null ? {} : { parent: execution.traceparent }),
    beginsTrace: true,
    attributes: {
      'roost.execution.id': execution.id,
      'roost.agent.id': execution.agent_id,
      'roost.scheduled_for': execution.scheduled_for.toISOString(),
    },
  };
  const message = await bus.tracer.span(`${channel} execution`, options, () => request(bus, execution, channel));
  return message.id;
}

function request(bus: Bus, execution: SendableExecution, channel: 'trigger' | 'schedule') {
  return bus.request(
    sendMessage,
    {
      agentId: execution.agent_id,
      content: execution.content,
      metadata: execution.metadata,
      channel,
      queueMode: execution.queue_mode,
      conversationId: `${channel}:${execution.schedule_id ?? execution.trigger_id ?? ''}`,
      dedupeKey: `execution:${execution.id}`,
    },
    { ...ownCall(`req_execution_${execution.id}`), accountId: execution.account_id },
  );
}

/** Sends a claimed batch concurrently and records what became of each. */
export async function sendAll(database: Database, bus: Bus, batch: SendableExecution[]): Promise<void> {
  const outcomes = await Promise.allSettled(batch.map((execution) => sendExecution(bus, execution)));
  const sent: { executionId: string; messageId: string }[] = [];
  const refused: { id: string; error: unknown }[] = [];
  outcomes.forEach((outcome, index) => {
    const id = batch[index]?.id ?? '';
    if (outcome.status === 'fulfilled') sent.push({ executionId: id, messageId: MessageId.parse(outcome.value) });
    else refused.push({ id, error: outcome.reason });
  });
  await database.transaction(async (tx) => {
    await recordSent(tx, sent);
    for (const { id, error } of refused) await recordRefused(tx, id, error);
  });
}

/** A permanent refusal ends the execution; anything else is tried again with backoff. */
export async function recordRefused(tx: Transaction, id: string, error: unknown): Promise<void> {
  const code = error instanceof RoostError ? error.code : 'INTERNAL';
  const text = error instanceof Error ? error.message : 'the message could not be queued';
  if (code === 'AGENT_UNAVAILABLE') await endUnsent(tx, id, 'skipped', text);
  else if (PERMANENT.includes(code)) await endUnsent(tx, id, 'failed', text);
  else await sendAgainLater(tx, id, text);
}
