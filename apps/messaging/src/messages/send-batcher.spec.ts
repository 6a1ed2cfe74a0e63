import { Database, newId } from '#lib/database';
import { type AddressInfo, connect, createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recordAgent } from '../agents/agents.repository.js';
import { messagingDatabase } from '../../test/messaging-database.js';
import { SendBatcher } from './send-batcher.js';

describe('the send batcher', () => {
  let database: Database;
  let url: string;
  let drop: () => Promise<void>;
  const accountId = newId();
  const [one, other] = [newId(), newId()];

  beforeAll(async () => {
    ({ database, url, drop } = await messagingDatabase());
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

  it('keeps what was sent to an agent in the order in which it came', async () => {
    const batcher = new SendBatcher(database);
    const texts = Array.from({ length: 200 }, (_, index) => `${index}`);
    await Promise.all(texts.flatMap((text) => [one, other].map((agentId) => send(batcher, agentId, text))));
    expect(await stored(one)).toEqual(texts);
    expect(await stored(other)).toEqual(texts);
  });

  it('stores another account’s message with the next commit, whatever waits before it', async () => {
    const batcher = new SendBatcher(database);
    const others = newId();
    const theirAgent = newId();
    await database.transaction((tx) =>
      recordAgent(tx, { agentId: theirAgent, accountId: others, status: 'active', revision: 1 }),
    );
    const flood = Array.from({ length: 640 }, () => send(batcher, one, 'flood'));
    const input = { conversationId: 'c', content: 'm', metadata: {}, channel: 'api', queueMode: 'collect' } as const;
    await batcher.send({ input: { ...input, agentId: theirAgent }, accountId: others, headers: {} });
    const [row] = await database.query(`SELECT count(*)::int AS stored FROM messages WHERE content = 'flood'`);
    // Those of the commit that ran, of the one it shared, and of one that may have ended since.
    expect(row?.['stored']).toBeLessThan(200);
    await Promise.all(flood);
  });

  it('refuses one that cannot be stored, and stores those that came with it', async () => {
    const batcher = new SendBatcher(database);
    const outcomes = await Promise.allSettled(['first', 'NUL \0', 'last'].map((text) => send(batcher, other, text)));
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect((await stored(other)).slice(-2)).toEqual(['first', 'last']);
  });

  it('stores nothing again whose commit was made and not answered', async () => {
    const agentId = newId();
    await database.transaction((tx) => recordAgent(tx, { agentId, accountId, status: 'active', revision: 1 }));
    const relay = await startRelay(url);
    const relayed = await Database.open({ url: relay.url, schema: 'messaging', migrations: [], poolSize: 1 });
    const batcher = new SendBatcher(relayed);
    const first = send(batcher, agentId, 'first').then(() => relay.loseNextAnswer());
    const outcomes = await Promise.allSettled([first, ...['second', 'third'].map((m) => send(batcher, agentId, m))]);
    const away = { status: 'rejected', reason: expect.objectContaining({ code: 'SERVICE_UNAVAILABLE' }) };
    expect(outcomes).toEqual([expect.objectContaining({ status: 'fulfilled' }), away, away]);
    expect(await stored(agentId)).toEqual(['first', 'second', 'third']);
    await relayed.close();
    relay.stop();
  });
});

/** Connections to a server that can end in place of its next answer. */
async function startRelay(to: string) {
  const target = new URL(to);
  let isLost = false;
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    for (const socket of [client, upstream]) socket.on('error', () => undefined);
    client.pipe(upstream);
    upstream.on('data', (answer) => {
      if (!isLost) return void client.write(answer);
      isLost = false;
      upstream.destroy();
      client.destroy();
    });
    client.on('close', () => upstream.destroy());
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const url = new URL(to);
  url.search = ''; // names a socket
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url: url.href, loseNextAnswer: () => void (isLost = true), stop: () => server.close() };
}
