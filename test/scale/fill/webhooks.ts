import { endpointsOf } from './sizes.js';
import type { Filling } from './steps.js';

/** What waits is due so many days from now, behind any run; one in a hundred is due at once. */
const LATER_DAYS = 10;
/** Of what does not wait one in so many was given up. */
const DEAD = 200;
/** Of an account's deliveries its first agent has a tenth (Zipf), and as many of its agents have some. */
const AGENTS = 1_000;
/** Nine of ten are of answers. */
const EVENT = `CASE WHEN k % 10 > 0 THEN 'message.completed' WHEN k % 20 = 0 THEN 'message.failed' ELSE 'agent.status_changed' END`;

export async function fillWebhooks({ database, sizes, sealer, receiverUrl }: Filling): Promise<void> {
  await database.query(
    `TRUNCATE webhooks.agents, webhooks.endpoints, webhooks.events, webhooks.deliveries, webhooks.queue, webhooks.undelivered,
       webhooks.attempts`,
  );
  await database.query(`INSERT INTO webhooks.agents (agent_id, account_id) SELECT id, account_id FROM scale.agents`);
  const { rows } = await database.query<{ id: string }>(`SELECT uuidv7() AS id FROM generate_series(1, $1::int)`, [
    endpointsOf(sizes),
  ]);
  const ids = rows.map(({ id }) => id);
  await database.query(
    `INSERT INTO webhooks.endpoints (id, account_id, source, url, events, sealed_secret, created_at, updated_at)
     SELECT given.id, a.id, 'account', $3, '{*}', sealed, a.created_at, a.created_at
     FROM unnest($1::uuid[], $2::text[]) WITH ORDINALITY AS given (id, sealed, n) JOIN scale.accounts a USING (n)`,
    [ids, ids.map((id) => sealer.seal(`whsec_${Buffer.from(id).toString('base64')}`, `endpoints:${id}`)), receiverUrl],
  );
  const waiting = Math.floor(sizes.deliveries * 0.9);
  await database.query(`
    CREATE TABLE scale.deliveries (k bigint, event_id uuid, id uuid, endpoint_id uuid, account_id uuid, agent_id uuid, type text,
      at timestamptz, is_waiting boolean)`);
  await database.query(
    `WITH agents AS MATERIALIZED (
       SELECT account_id, (array_agg(id ORDER BY n))[1:${AGENTS}] AS ids FROM scale.agents GROUP BY account_id
     )
     INSERT INTO scale.deliveries
     SELECT k, uuidv7(at - now()), uuidv7(at - now()), e.id, e.account_id,
       ids[scale.zipf(scale.u(k, 24), cardinality(ids))], ${EVENT}, at, k <= $2
     FROM generate_series(1, $3::bigint) k
     CROSS JOIN LATERAL (SELECT now() - scale.u(k, 21) * interval '19 days' AS at, scale.zipf(scale.u(k, 22), cardinality($1::uuid[])) AS endpoint) made
     JOIN unnest($1::uuid[]) WITH ORDINALITY AS given (id, n) ON given.n = endpoint
     JOIN webhooks.endpoints e ON e.id = given.id
     JOIN agents USING (account_id)`,
    [ids, waiting, waiting + Math.floor(sizes.deliveries / 2)],
  );
  await database.query(`
    INSERT INTO webhooks.events (id, account_id, agent_id, type, body, created_at)
    SELECT event_id, account_id, agent_id, type, json_build_object('type', type, 'timestamp', at,
      'data', json_build_object('agent_id', agent_id, 'text', repeat('x', 300)))::text, at
    FROM scale.deliveries ORDER BY at`);
  await database.query(`
    INSERT INTO webhooks.deliveries (id, account_id, endpoint_id, event_id, agent_id, event_type, status, attempt_count,
      last_response_status, created_at, finished_at)
    SELECT id, account_id, endpoint_id, event_id, agent_id, type,
      CASE WHEN is_waiting THEN 'pending' WHEN k % ${DEAD} = 0 THEN 'dead' ELSE 'succeeded' END, 1,
      CASE WHEN is_waiting OR k % ${DEAD} = 0 THEN 503 ELSE 204 END, at, CASE WHEN NOT is_waiting THEN at + interval '20 ms' END
    FROM scale.deliveries ORDER BY at`);
  await database.query(`
    INSERT INTO webhooks.undelivered (delivery_id, account_id, status, seq)
    SELECT id, account_id, status, seq FROM webhooks.deliveries WHERE status = 'dead'`);
  await database.query(`
    INSERT INTO webhooks.attempts (delivery_id, number, account_id, started_at, duration_ms, response_status, response_body)
    SELECT id, 1, account_id, at, 12, CASE WHEN is_waiting THEN 503 ELSE 204 END, '' FROM scale.deliveries`);
  await database.query(`
    INSERT INTO webhooks.queue (delivery_id, account_id, endpoint_id, event_id, due_at, is_due, fencing_token, tries)
    SELECT id, account_id, endpoint_id, event_id,
      CASE WHEN k % 100 = 0 THEN now() ELSE now() + interval '${LATER_DAYS} days' + scale.u(k, 23) * interval '9 days' END,
      k % 100 = 0, nextval('webhooks.fencing_tokens'), 1
    FROM scale.deliveries WHERE is_waiting`);
  await database.query(`DROP TABLE scale.deliveries`);
}
