import type { Transaction } from '#lib/database';
import type { Outcome } from './send-delivery.js';

interface RecordedTries {
  /** All but those whose lease was taken over, or that are recorded already. */
  taken: Outcome[];
  /** The last of deliveries whose agent was deleted meanwhile, for `endLeased`. */
  cancelled: { id: string; agent_id: string }[];
}

/**
 * Records tries: history, and what is next for each delivery. An outcome whose lease was taken over is left out: the
 * delivery's new holder records its own. So is one that comes a second time, since the answer of its commit was lost: a
 * delivery that waits for its next try has its last holder's token, and no lease. A failure of a delivery whose agent was
 * deleted meanwhile is its last.
 */
export async function recordTries(tx: Transaction, outcomes: Outcome[]): Promise<RecordedTries> {
  const column = <T>(of: (outcome: Outcome) => T) => outcomes.map(of);
  const rows = await tx.query<{ id: string; agent_id: string; is_cancelled: boolean; place: number }>(
    `WITH outcome AS (
       SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::float8[], $5::timestamptz[], $6::integer[], $7::integer[], $8::text[], $9::text[])
         WITH ORDINALITY AS o (id, token, status, retry_ms, started_at, duration_ms, response_status, response_body, error, place)
     ), ended AS (
       DELETE FROM queue q USING outcome o
       WHERE q.delivery_id = o.id AND q.fencing_token = o.token AND o.status <> 'pending'
       RETURNING o.*, q.due_at = 'infinity' AS is_cancelled
     ), postponed AS (
       UPDATE queue q SET leased_until = '-infinity', tries = q.tries + 1,
         due_at = CASE WHEN q.due_at = 'infinity' THEN q.due_at ELSE now() + o.retry_ms * interval '1 millisecond' END
       FROM outcome o WHERE q.delivery_id = o.id AND q.fencing_token = o.token AND q.leased_until <> '-infinity' AND o.status = 'pending'
       RETURNING o.*, q.due_at = 'infinity' AS is_cancelled
     ), updated AS (
       UPDATE deliveries d SET attempt_count = d.attempt_count + 1, last_response_status = o.response_status,
         status = CASE WHEN o.is_cancelled AND o.status = 'pending' THEN 'cancelled' ELSE o.status END,
         finished_at = CASE WHEN o.is_cancelled OR o.status <> 'pending' THEN now() END
       FROM (SELECT * FROM ended UNION ALL SELECT * FROM postponed) o WHERE d.id = o.id
       RETURNING d.id, d.attempt_count, d.account_id, o.started_at, o.duration_ms, o.response_status, o.response_body,
         o.error, o.is_cancelled, d.agent_id, o.place
     ), tried AS (
       INSERT INTO attempts (delivery_id, number, account_id, started_at, duration_ms, response_status, response_body, error)
       SELECT id, attempt_count, account_id, started_at, duration_ms, response_status, response_body, error FROM updated
     )
     SELECT id, agent_id, is_cancelled, place::integer FROM updated`,
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
  return {
    taken: rows.map(({ place }) => outcomes[place - 1] as Outcome),
    cancelled: rows.filter((row) => row.is_cancelled),
  };
}
