import type { Filling } from './steps.js';

/** Once a week, at a minute of its own: so over 1,000,000 schedules 1.7 fire each second. */
export async function fillScheduler({ database, sizes }: Filling): Promise<void> {
  await database.query(`TRUNCATE scheduler.agents, scheduler.schedules, scheduler.executions, scheduler.triggers`);
  await database.query(`
    INSERT INTO scheduler.agents (agent_id, account_id, status, revision)
    SELECT id, account_id, status, 1 FROM lifecycle.agents`);
  await database.query(
    `INSERT INTO scheduler.schedules (id, account_id, agent_id, name, cron_expression, message_template, timezone, enabled,
       queue_mode, overlap, catch_up, next_run_at, created_at, updated_at)
     SELECT uuidv7(a.created_at - now() + interval '1 s'), a.account_id, a.id, 'weekly-' || k,
       extract(minute FROM next)::int || ' ' || extract(hour FROM next)::int || ' * * ' || extract(dow FROM next)::int,
       'Write the report of last week', 'UTC', true, 'collect', 'queue', 'latest', next, a.created_at, a.created_at
     FROM generate_series(1, $1::bigint) k
     JOIN scale.agents a ON a.n = 1 + (k - 1) % $2::int
     CROSS JOIN LATERAL (SELECT date_trunc('minute', now()) + interval '1 hour' + (scale.u(k, 11) * 166 * 60)::int * interval '1 minute' AS next) slot`,
    [sizes.schedules, sizes.agents],
  );
  await database.query(`
    INSERT INTO scheduler.executions (id, account_id, agent_id, schedule_id, slot, scheduled_for, status, queue_mode, send_attempts,
      message_id, started_at, finished_at, turn_order)
    SELECT uuidv7(t.started_at - now()), t.account_id, t.agent_id, s.id, t.started_at - interval '1 s', t.started_at - interval '1 s',
      'completed', 'collect', 1, t.message_ids ->> 0, t.started_at, t.ended_at, 2 * t.fencing_token
    FROM messaging.turns t
    JOIN (SELECT DISTINCT ON (agent_id) agent_id, id FROM scheduler.schedules ORDER BY agent_id, id) s USING (agent_id)
    WHERE t.source = 'schedule' AND t.started_at > now() - interval '29 days'`);
}
