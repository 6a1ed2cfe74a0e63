import { webhookEndpointDisabled } from '#lib/contracts';
import { newId, type Transaction } from '#lib/database';
import { expandEvent } from '../events/expand-event.js';
import { endHeld } from './cancel-deliveries.js';
import type { Outcome } from './send-delivery.js';

/**
 * Records tries in one transaction: history, what is next for each delivery, the endpoints' health. An outcome whose
 * lease was taken over is left out: the delivery's new holder tells. A failure of a delivery whose agent was deleted
 * meanwhile is its last.
 */
export async function recordOutcomes(tx: Transaction, outcomes: Outcome[]): Promise<void> {
  const column = <T>(of: (outcome: Outcome) => T) => outcomes.map(of);
  const held = await tx.query<{ id: string; agent_id: string }>(
    `WITH outcome AS (
       SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::float8[], $5::timestamptz[], $6::integer[], $7::integer[], $8::text[], $9::text[])
         AS o (id, token, status, retry_ms, started_at, duration_ms, response_status, response_body, error)
     ), ended AS (
       DELETE FROM queue q USING outcome o
       WHERE q.delivery_id = o.id AND q.fencing_token = o.token AND o.status <> 'pending'
       RETURNING o.*, q.due_at = 'infinity' AS is_cancelled
     ), postponed AS (
       UPDATE queue q SET leased_until = '-infinity', tries = q.tries + 1,
         due_at = CASE WHEN q.due_at = 'infinity' THEN q.due_at ELSE now() + o.retry_ms * interval '1 millisecond' END
       FROM outcome o WHERE q.delivery_id = o.id AND q.fencing_token = o.token AND o.status = 'pending'
       RETURNING o.*, q.due_at = 'infinity' AS is_cancelled
     ), updated AS (
       UPDATE deliveries d SET attempt_count = d.attempt_count + 1, last_response_status = o.response_status,
         status = CASE WHEN o.is_cancelled AND o.status = 'pending' THEN 'cancelled' ELSE o.status END,
         finished_at = CASE WHEN o.is_cancelled OR o.status <> 'pending' THEN now() END
       FROM (SELECT * FROM ended UNION ALL SELECT * FROM postponed) o WHERE d.id = o.id
       RETURNING d.id, d.attempt_count, d.account_id, o.started_at, o.duration_ms, o.response_status, o.response_body,
         o.error, o.is_cancelled, d.agent_id
     ), tried AS (
       INSERT INTO attempts (delivery_id, number, account_id, started_at, duration_ms, response_status, response_body, error)
       SELECT id, attempt_count, account_id, started_at, duration_ms, response_status, response_body, error FROM updated
     )
     SELECT id, agent_id FROM updated WHERE is_cancelled`,
    [
      column(({ delivery }) => delivery.id),
      column(({ delivery }) => delivery.fencing_token),
      column(({ status }) => status),
      column(({ retryInMs }) => retryInMs),
      column(({ startedAt }) => startedAt),
      column(({ durationMs }) => durationMs),
      column(({ responseStatus }) => responseStatus),
      column(({ responseBody }) => responseBody),
      column(({ error }) => error),
    ],
  );
  await endHeld(tx, held);
  await recordHealth(tx, outcomes);
}

async function recordHealth(tx: Transaction, outcomes: Outcome[]): Promise<void> {
  const endpointsOf = (is: (outcome: Outcome) => boolean) => [
    ...new Set(outcomes.filter(is).map(({ delivery }) => delivery.endpoint_id)),
  ];
  const succeeded = endpointsOf(({ status }) => status === 'succeeded');
  const failed = endpointsOf(({ status }) => status !== 'succeeded').filter((id) => !succeeded.includes(id));
  // Healthy endpoints stay so: their rows are not written at every delivery.
  if (succeeded.length > 0)
    await tx.query(`UPDATE endpoints SET failing_since = NULL WHERE id = ANY($1) AND failing_since IS NOT NULL`, [
      succeeded,
    ]);
  if (failed.length === 0) return;
  await tx.query(`UPDATE endpoints SET failing_since = now() WHERE id = ANY($1) AND failing_since IS NULL`, [failed]);
  await disableEndpoints(
    tx,
    failed,
    endpointsOf(({ isGone }) => isGone),
  );
}

interface DisabledEndpoint {
  id: string;
  account_id: string;
  agent_ids: string[] | null;
  source: string;
  disabled_reason: 'gone' | 'failing';
}

/** Disables what answered 410 or has failed for five days, and tells the account's other endpoints as `agent.error`. */
async function disableEndpoints(tx: Transaction, failed: string[], gone: string[]): Promise<void> {
  const disabled = await tx.query<DisabledEndpoint>(
    `UPDATE endpoints SET enabled = false, updated_at = now(),
       disabled_reason = CASE WHEN id = ANY($2) THEN 'gone' ELSE 'failing' END
     WHERE id = ANY($1) AND enabled AND (id = ANY($2) OR failing_since < now() - interval '5 days')
     RETURNING id, account_id, agent_ids, source, disabled_reason`,
    [failed, gone],
  );
  for (const { id, account_id: accountId, agent_ids, source, disabled_reason: reason } of disabled) {
    const occurredAt = new Date();
    const agentId = source === 'agent' ? (agent_ids?.[0] ?? null) : null;
    await tx.outbox(webhookEndpointDisabled, { accountId, endpointId: id, reason, occurredAt }, id);
    await expandEvent(tx, {
      id: newId(),
      accountId,
      agentId,
      type: 'agent.error',
      occurredAt,
      data: {
        agent_id: agentId,
        error: {
          code: 'WEBHOOK_DISABLED',
          message:
            reason === 'gone'
              ? 'a webhook endpoint answered 410 and was disabled'
              : 'a webhook endpoint failed for five days and was disabled',
        },
        endpoint_id: id,
      },
    });
  }
}
