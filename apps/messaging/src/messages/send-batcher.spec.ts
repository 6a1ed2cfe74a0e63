import { type Database, newId } from '#lib/database';
import { until } from '#lib/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recordAgent } from '../agents/record-agent.js';
import { messagingDatabase } from '../testing/messaging-database.js';
import { SendBatcher } from './send-batcher.js';

describe('the send batcher', () => {
  let database: Database;
  let drop: () => Promise<void>;
  const accountId = newId();
  const [one, other] = [newId(), newId()];

  beforeAll(async () => {
    ({ database, drop } = await messagingDatabase());
    for (const agentId of [one, other])
      await database.transaction((tx) => recordAgent(tx, { agentId, accountId, status: 'active', revision: 1 }));
  });
  afterAll(() => drop());

  const send = (batcher: SendBatcher, agentId: string, content: string) => {
    const input = {
      agentId,
      conversationId: 'c',
      content,
      metadata: {},
      channel: 'api',
      queueMode: 'collect',
    } as const;
    return batcher.send({ input, accountId, headers: {} });
  };
  const stored = async (agentId: string) => {
    const rows = await database.query<{ content: string }>(
      `SELECT content FROM messages WHERE agent_id = $1 ORDER BY seq`,
      [agentId],
    );
    return rows.map(({ content }) => content);
  };
  const waitsForLock = async () => {
    const waiting = await database.query(
      `SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`,
    );
    return waiting.length > 0;
  };

  it('keeps what was sent to an agent in the order in which it came', async () => {
    const batcher = new SendBatcher(database);
    const texts = Array.from({ length: 200 }, (_, index) => `${index}`);
    await Promise.all(texts.flatMap((text) => [one, other].map((agentId) => send(batcher, agentId, text))));
    expect(await stored(one)).toEqual(texts);
    expect(await stored(other)).toEqual(texts);
  });

  it('stores for one agent while the messages of another wait for its lock', async () => {
    const batcher = new SendBatcher(database);
    let waiting: Promise<unknown> | undefined;
    let hasEnded = false;
    await database.transaction(async (tx) => {
      await tx.query(`SELECT 1 FROM agents WHERE agent_id = $1 FOR UPDATE`, [one]);
      waiting = send(batcher, one, 'waited').finally(() => (hasEnded = true));
      await until('it waits', waitsForLock);
      await expect(send(batcher, other, 'went through')).resolves.toMatchObject({ kind: 'accepted' });
      expect(hasEnded).toBe(false);
    });
    await waiting;
    expect((await stored(one)).at(-1)).toBe('waited');
  });
});
