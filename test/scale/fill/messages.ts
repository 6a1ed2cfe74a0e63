import { DAYS } from './accounts.js';
import { PAUSED_EACH, STATUS } from './agents.js';
import type { Filling } from './steps.js';

const PAIRS_AT_ONCE = 500_000;
/** Of the agent with most: each of its API client's users has one. */
const MAX_CONVERSATIONS = 20_000;
/** ROOST_RUN_DAYS of a service that is not told otherwise. */
export const RUN_DAYS = 90;

const TEXT = `'${'Could you look up when order 4711 was sent and whether the parcel has arrived, please? It was to come on Monday. '.repeat(6)}'`;

/** Questions and answers, one pair after the other over the days; the first agent has most of them (Zipf). */
export async function fillMessages({ database, sizes, log }: Filling): Promise<void> {
  const pairs = Math.floor(sizes.messages / 2);
  await database.query(`TRUNCATE messaging.messages`);
  for (let from = 1; from <= pairs; from += PAIRS_AT_ONCE) {
    await database.query(PAIRS, [from, Math.min(from + PAIRS_AT_ONCE - 1, pairs), pairs, sizes.agents]);
    log(`  ${Math.min(from + PAIRS_AT_ONCE - 1, pairs) * 2} messages`);
  }
  await database.query(WAITING);
}

// Every other of the last 30 days comes from a schedule.
const PAIRS = `
  WITH pair AS MATERIALIZED (
    SELECT p, a.id AS agent_id, a.account_id, at, 'msg_' || uuidv7(at - now()) AS user_id, 'msg_' || uuidv7(at + interval '3 s' - now()) AS reply_id,
      uuidv7(at + interval '10 ms' - now()) AS turn_id,
      CASE WHEN at > now() - interval '30 days' AND p % 2 = 0 THEN 'schedule' ELSE 'api' END AS channel,
      CASE WHEN scale.u(p, 3) < 0.6 THEN 'default' ELSE 'c-' || scale.zipf(scale.u(p, 4), ${MAX_CONVERSATIONS}) END AS conversation_id,
      40 + (scale.u(p, 5) * 120)::int AS user_chars, 80 + (scale.u(p, 6) * 320)::int AS reply_chars, (scale.u(p, 7) * 100)::int AS first_char
    FROM generate_series($1::bigint, $2::bigint) p
    CROSS JOIN LATERAL (SELECT now() - interval '${DAYS} days' * (1 - p::float8 / ($3::bigint + 1)) AS at) made
    JOIN scale.agents a ON a.n = scale.zipf(scale.u(p, 2), $4::bigint)
  )
  INSERT INTO messaging.messages (id, account_id, agent_id, conversation_id, role, content, status, channel, queue_mode,
    reply_to_id, turn_id, attempts, created_at, delivered_at, read_at)
  SELECT CASE WHEN role = 'user' THEN user_id ELSE reply_id END, account_id, agent_id,
    CASE WHEN channel = 'schedule' THEN 'schedule:' || agent_id ELSE conversation_id END, role,
    substr(${TEXT}, first_char, CASE WHEN role = 'user' THEN user_chars ELSE reply_chars END),
    CASE WHEN role = 'user' OR p % 3 > 0 THEN 'read' ELSE 'delivered' END, channel,
    CASE WHEN role = 'user' THEN 'collect' END, CASE WHEN role = 'assistant' THEN user_id END, turn_id,
    CASE WHEN role = 'user' THEN 1 ELSE 0 END, at + later, at + greatest(later, interval '10 ms'),
    CASE WHEN role = 'user' OR p % 3 > 0 THEN at + interval '3 s' END
  FROM pair CROSS JOIN (VALUES ('user', interval '0'), ('assistant', interval '3 s')) said (role, later) ORDER BY p, later`;

const WAITING = `
  INSERT INTO messaging.messages (id, account_id, agent_id, conversation_id, role, content, status, channel, queue_mode, created_at)
  SELECT 'msg_' || uuidv7(), account_id, id, 'default', 'user', 'Are you there?', 'pending', 'api', 'collect', now()
  FROM scale.agents WHERE n % ${PAUSED_EACH} = 0`;

export async function fillConversations({ database }: Filling): Promise<void> {
  await database.query(`TRUNCATE messaging.conversations`);
  await database.query(`
    INSERT INTO messaging.conversations (agent_id, id, account_id, channel, counterparty_id, message_count, ready_at, created_at, updated_at)
    SELECT agent_id, conversation_id, account_id, min(channel), conversation_id, count(*),
      min(created_at) FILTER (WHERE status = 'pending'), min(created_at), max(created_at)
    FROM messaging.messages GROUP BY agent_id, conversation_id, account_id`);
}

export async function fillMessagingAgents({ database }: Filling): Promise<void> {
  await database.query(`TRUNCATE messaging.agents`);
  await database.query(`
    INSERT INTO messaging.agents (agent_id, account_id, status, revision, fence, next_at, updated_at)
    SELECT a.id, a.account_id, ${STATUS}, 1, coalesce(c.messages, 0), c.ready_at, a.created_at FROM scale.agents a
    LEFT JOIN (SELECT agent_id, sum(message_count) AS messages, min(ready_at) AS ready_at FROM messaging.conversations GROUP BY agent_id) c
      ON c.agent_id = a.id`);
}

/** Those that are not too old to be kept, and the events of the last day. */
export async function fillTurns({ database }: Filling): Promise<void> {
  await database.query(`TRUNCATE messaging.turns`);
  await database.query(`
    INSERT INTO messaging.turns (id, account_id, agent_id, conversation_id, worker_id, fencing_token, attempt, state, run_status,
      source, lease_until, message_ids, reply_ids, started_at, ended_at)
    SELECT turn_id, account_id, agent_id, conversation_id, 'scale', row_number() OVER (PARTITION BY agent_id ORDER BY seq), 1,
      'completed', 'completed', channel, created_at + interval '30 s', jsonb_build_array(reply_to_id), jsonb_build_array(id),
      created_at - interval '2990 ms', created_at
    FROM messaging.messages WHERE role = 'assistant' AND created_at > now() - interval '${RUN_DAYS - 1} days'`);
  await database.query(`
    INSERT INTO messaging.outbox (subject, key, payload, headers, created_at, published_at)
    SELECT subject, agent_id, jsonb_build_object('account_id', account_id, 'agent_id', agent_id, 'turn_id', id, 'message_ids', message_ids,
      'attempt', 1, 'run_id', id, 'text', repeat('x', 300)), '{"v": "1"}', started_at, started_at
    FROM messaging.turns CROSS JOIN (VALUES ('events.messaging.message.created'), ('events.messaging.turn.started'),
      ('events.messaging.message.completed')) AS event (subject)
    WHERE started_at > now() - interval '1 day' ORDER BY started_at`);
  for (const [schema, consumer] of [
    ['webhooks', 'webhook-dispatch'],
    ['channels', 'channels'],
    ['scheduler', 'scheduler'],
  ])
    await database.query(`
      INSERT INTO ${schema}.inbox (consumer, event_id, received_at)
      SELECT '${consumer}', gen_random_uuid(), ended_at FROM messaging.turns WHERE ended_at > now() - interval '7 days'`);
}
