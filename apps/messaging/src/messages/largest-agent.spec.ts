import { Database } from '#lib/database';
import { type FreshDatabase, freshDatabase } from '#lib/testing';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listConversations } from '../conversations/conversations.repository.js';
import { migrations } from '../migrations/index.js';
import { listMessages } from './messages.repository.js';

const [accountId, agentId] = [randomUUID(), randomUUID()];
const MESSAGES = 20_000;
const LIMIT = 50;
/** That a page may read, with what is looked up for each of its messages. */
const MAX_ROWS = 20 * LIMIT;

/** Plans are kept, and made for no agent in particular: for the average of 1,000 others with 40 messages each. */
describe('lists of the agent that has most, by the plans of the others', () => {
  let server: FreshDatabase;
  let database: Database;

  beforeAll(async () => {
    server = await freshDatabase();
    database = await Database.open({ url: server.url, schema: 'messaging', migrations, poolSize: 1 });
    await database.query(
      `INSERT INTO agents (agent_id, account_id, status, revision)
       SELECT gen_random_uuid(), gen_random_uuid(), 'active', 1 FROM generate_series(1, 1000) UNION ALL SELECT $1::uuid, $2::uuid, 'active', 1`,
      [agentId, accountId],
    );
    await database.query(
      `INSERT INTO messages (id, account_id, agent_id, conversation_id, role, content, status, channel)
       SELECT 'msg_' || gen_random_uuid(), account_id, agent_id, 'c-' || n % 2000, 'user', 'hello', 'read', 'api'
       FROM agents, LATERAL generate_series(1, CASE WHEN agent_id = $1 THEN ${MESSAGES} ELSE 40 END) n ORDER BY random()`,
      [agentId],
    );
    // Few of a kind among many, and old: only an index leads to them.
    await database.query(
      `UPDATE messages SET status = CASE seq % 3 WHEN 0 THEN 'failed' WHEN 1 THEN 'pending' ELSE status END,
         channel = CASE seq % 3 WHEN 2 THEN 'slack' ELSE channel END
       WHERE agent_id = $1 AND seq <= (SELECT seq FROM messages WHERE agent_id = $1 ORDER BY seq OFFSET 90 LIMIT 1)`,
      [agentId],
    );
    await database.query(`
      INSERT INTO conversations (agent_id, id, account_id, channel, counterparty_id, updated_at)
      SELECT DISTINCT ON (agent_id, conversation_id) agent_id, conversation_id, account_id, 'api', 'x', created_at FROM messages`);
    await database.query(`VACUUM (ANALYZE) messages`);
    await database.query(`VACUUM (ANALYZE) conversations`);
    await database.query(`SET plan_cache_mode = force_generic_plan`);
  });
  afterAll(async () => {
    await database.close();
    await server.drop();
  });

  const rowsRead = async () => {
    await database.query(`SELECT pg_stat_force_next_flush()`);
    const [row] = await database.query<{ read: string }>(
      `SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) AS read FROM pg_stat_user_tables WHERE relname IN ('messages', 'conversations')`,
    );
    return Number(row?.read);
  };
  const list = (fields: object = {}) =>
    listMessages(database, accountId, { agentId, limit: LIMIT, ...fields }, () => Promise.resolve());

  it.each([
    ['the newest messages', {}],
    ['those of a conversation', { conversationId: 'c-1' }],
    ['those of a channel', { channel: 'api' as const }],
    ['those of a channel that it has few of', { channel: 'slack' as const }],
    ['those that failed', { status: 'failed' as const }],
    ['those that wait', { status: 'pending' as const }],
  ])('read a page of %s alone', async (_, fields) => {
    const before = await rowsRead();
    const { messages } = await list(fields);
    expect((await rowsRead()) - before).toBeLessThan(MAX_ROWS);
    expect(messages.length).toBeGreaterThan(5);
  });

  it('read a page from a cursor on alone, in both directions', async () => {
    const [row] = await database.query<{ id: string }>(
      `SELECT id FROM messages WHERE agent_id = $1 ORDER BY seq OFFSET ${MESSAGES / 2} LIMIT 1`,
      [agentId],
    );
    const before = await rowsRead();
    expect((await list({ before: row?.id })).messages).toHaveLength(LIMIT);
    expect((await list({ after: row?.id })).messages).toHaveLength(LIMIT);
    expect((await rowsRead()) - before).toBeLessThan(2 * MAX_ROWS);
  });

  it('read the conversations of a page alone, also of the last', async () => {
    const before = await rowsRead();
    const query = { agentId, page: 40, limit: LIMIT };
    expect((await listConversations(database, accountId, query)).conversations).toHaveLength(LIMIT);
    expect((await rowsRead()) - before).toBeLessThan(MAX_ROWS);
  });
});
