import type { Filling } from './steps.js';

/** Chats of so many bots, which no agent has any more: nothing is connected, and what waits for them goes on waiting. */
export const BOTS = 1_000;
export const PLATFORM = 'telegram';

export async function fillChannels({ database, sizes }: Filling): Promise<void> {
  await database.query(`TRUNCATE channels.bindings, channels.deliveries, channels.inbound_events`);
  const bots = Math.min(BOTS, sizes.accounts);
  await database.query(
    `INSERT INTO channels.bindings (id, account_id, agent_id, platform, bot_id, user_id, place, created_at)
     SELECT uuidv7(), account_id, id, '${PLATFORM}', 'bot-' || n % $1::int, 'user-' || n, 'chat-' || n, now() - interval '20 days'
     FROM scale.agents WHERE n <= $2::int`,
    [bots, Math.max(bots, Math.floor(sizes.deliveries / 10))],
  );
  await database.query(
    `INSERT INTO channels.deliveries (account_id, agent_id, platform, bot_id, place, turn_id, part, body, state, next_attempt_at, attempts, created_at)
     SELECT account_id, agent_id, platform, bot_id, place, uuidv7(), 0, repeat('an answer ', 10), 'pending',
       CASE WHEN row_number() OVER () % 100 = 0 THEN now() ELSE now() + interval '10 days' END, 1, now() - interval '10 hours'
     FROM channels.bindings`,
  );
  await database.query(
    `INSERT INTO channels.deliveries (account_id, agent_id, platform, bot_id, place, turn_id, part, body, state, message_id, attempts, created_at)
     SELECT account_id, agent_id, platform, bot_id, place, uuidv7(), 0, repeat('an answer ', 10), 'done', 'm', 1,
       now() - interval '1 day' * (1 + k)
     FROM channels.bindings, generate_series(1, 5) k`,
  );
}
