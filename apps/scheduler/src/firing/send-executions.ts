import { MessageId, RoostError, sendMessage } from '#lib/contracts';
import type { Bus } from '#lib/bus';
import { ownCall } from '#lib/call-context';
import type { Database, Transaction } from '#lib/database';
import { recordSent } from '../executions/close-executions.js';
import { fairBatch } from './fair-batch.js';

/** While one replica sends, no other does; a sender that died is taken over after this. */
const SEND_LEASE = '30 seconds';
/** A message that could not be queued for so long is given up. */
const GIVE_UP_AFTER = '24 hours';
/** Refusals that another try would not change. */
const FOR_GOOD = ['NOT_FOUND', 'VALIDATION_ERROR'];

export interface Sendable {
  id: string;
  account_id: string;
  agent_id: string;
  schedule_id: string | null;
  trigger_id: string | null;
  content: string;
  metadata: Record<string, never>;
  queue_mode: 'collect' | 'interrupt';
}

/** Claims executions whose message is due to be sent, of all accounts alike. */
export async function claimUnsent(database: Database, batch: number): Promise<Sendable[]> {
  return database.query<Sendable>(
    `UPDATE executions SET send_at = now() + interval '${SEND_LEASE}', send_attempts = send_attempts + 1
     WHERE id = ANY(ARRAY(${fairBatch('executions', 'send_at', 'now()')}))
     RETURNING id, account_id, agent_id, schedule_id, trigger_id, content, metadata, queue_mode`,
    [batch],
  );
}

/** Queues an execution's message. Sent twice it is still one message: messaging knows it by its dedupe key. */
export async function send(bus: Bus, execution: Sendable): Promise<string> {
  const channel = execution.schedule_id === null ? 'trigger' : 'schedule';
  const message = await bus.request(
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
  return message.id;
}

/** Sends a claimed batch side by side and writes down what became of each. */
export async function sendAll(database: Database, bus: Bus, batch: Sendable[]): Promise<void> {
  const outcomes = await Promise.allSettled(batch.map((execution) => send(bus, execution)));
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

/** A refusal for good ends the execution; anything else is tried again with backoff. */
export async function recordRefused(tx: Transaction, id: string, error: unknown): Promise<void> {
  const code = error instanceof RoostError ? error.code : 'INTERNAL';
  const text = error instanceof Error ? error.message : 'the message could not be queued';
  const end = code === 'AGENT_UNAVAILABLE' ? 'skipped' : FOR_GOOD.includes(code) ? 'failed' : null;
  if (end !== null) {
    // The delivery id is free again: a provider that repeats a refused delivery is heard.
    await tx.query(
      `UPDATE executions SET status = $2, error = $3, finished_at = now(), send_at = NULL, content = NULL, delivery_id = NULL
       WHERE id = $1 AND message_id IS NULL`,
      [id, end, text],
    );
    return;
  }
  await tx.query(
    `UPDATE executions SET error = $2,
       send_at = CASE WHEN scheduled_for < now() - interval '${GIVE_UP_AFTER}' THEN NULL
         ELSE now() + LEAST(60, power(2, LEAST(send_attempts, 6))) * interval '1 second' END,
       status = CASE WHEN scheduled_for < now() - interval '${GIVE_UP_AFTER}' THEN 'failed' ELSE status END,
       finished_at = CASE WHEN scheduled_for < now() - interval '${GIVE_UP_AFTER}' THEN now() END
     WHERE id = $1 AND message_id IS NULL`,
    [id, text],
  );
}
