import { keyringOf, Sealer } from '#lib/auth';
import { createAgent, RoostError, sendMessage } from '#lib/contracts';
import { Database } from '#lib/database';
import { serve } from '#lib/rpc';
import { connectAs, startRoost, type TestRoost, until } from '#lib/testing';
import type { NatsConnection } from '@nats-io/transport-node';
import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { anAgent } from '../../test/an-agent.js';
import { IdempotencyRepository, type TakenKey } from './idempotency.repository.js';

describe('an Idempotency-Key whose call was silent and taken for lost', () => {
  let roost: TestRoost;
  let nats: NatsConnection;
  let database: Database;
  /** Of each agent that is asked for: lets it be made, or fail. */
  const asked: { made: () => void; failed: () => void }[] = [];

  beforeAll(async () => {
    roost = await startRoost({ services: ['gateway'] });
    database = await Database.open({ url: roost.databaseUrl, schema: 'gateway', migrations: [], poolSize: 1 });
    nats = await connectAs(roost.natsCreds, roost.natsUrl);
    serve(
      nats,
      createAgent,
      createAgent.subject,
      ({ name }) =>
        new Promise((resolve, reject) =>
          asked.push({
            made: () => resolve({ ...anAgent, id: randomUUID(), name }),
            failed: () => reject(new RoostError('SERVICE_UNAVAILABLE', 'away')),
          }),
        ),
      (error) => console.error(error),
    );
    await nats.flush();
  });
  afterAll(async () => {
    await nats?.close();
    await database?.close();
    await roost?.stop();
  });

  const beSilent = (key: string) =>
    database.query(`UPDATE idempotency SET created_at = now() - interval '16 seconds' WHERE key = $1`, [key]);
  const create = (key: string) =>
    roost.api<{ id: string }>('POST', '/v1/agent/create', { name: key }, { 'idempotency-key': key });
  const nextAsked = (count: number) => until('an agent is asked for', () => asked.length === count && asked.at(-1));

  /** Two calls with one key: the second has taken it over and made its agent, the first has no answer yet. */
  const takenOver = async (key: string) => {
    asked.length = 0;
    const late = create(key);
    const first = await nextAsked(1);
    const present = until('the second call has the key', async () => {
      await beSilent(key);
      const answer = await create(key);
      // The first has said just then that it still runs.
      return answer.status !== 409 && answer;
    });
    (await nextAsked(2)).made();
    return { first, late, present: await present };
  };

  it('keeps the answer of the call that took it over when the first fails', async () => {
    const { first, late, present } = await takenOver('fails');
    first.failed();
    expect((await late).status).toBe(503);
    const again = await create('fails');
    expect([present.status, again.status, again.headers.get('idempotent-replayed')]).toEqual([201, 201, 'true']);
    expect(again.body).toEqual(present.body);
    expect(asked).toHaveLength(2);
  });

  it('keeps the answer of the call that took it over when the first succeeds, which has its own', async () => {
    const { first, late, present } = await takenOver('succeeds');
    first.made();
    expect((await late).status).toBe(201);
    expect((await late).body).not.toEqual(present.body);
    const again = await create('succeeds');
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect(again.body).toEqual(present.body);
  });

  it('is not held for the second call by the first', async () => {
    const calls = new IdempotencyRepository(database, new Sealer(keyringOf(randomBytes(32).toString('base64'))));
    const accountId = randomUUID();
    const taken = (): TakenKey => [accountId, 'held', randomUUID()];
    const [first, second, third] = [taken(), taken(), taken()];
    await calls.take(first, 'same');
    await beSilent('held');
    await calls.take(second, 'same');
    await beSilent('held');
    await calls.touch(second);
    expect(await calls.take(third, 'same')).toMatchObject({ status: null });
    await beSilent('held');
    await calls.touch(first);
    expect(await calls.take(third, 'same')).toHaveProperty('dedupeKey');
  });
});

describe('what messaging dedupes by', () => {
  let roost: TestRoost;
  let nats: NatsConnection;
  let database: Database;
  const dedupeKeys: (string | undefined)[] = [];
  let isAway = false;

  beforeAll(async () => {
    roost = await startRoost({ services: ['gateway'] });
    database = await Database.open({ url: roost.databaseUrl, schema: 'gateway', migrations: [], poolSize: 1 });
    nats = await connectAs(roost.natsCreds, roost.natsUrl);
    serve(
      nats,
      sendMessage,
      sendMessage.subject,
      ({ content, metadata, channel, queueMode, conversationId, dedupeKey }) => {
        dedupeKeys.push(dedupeKey);
        if (isAway) throw new RoostError('SERVICE_UNAVAILABLE', 'stored, perhaps');
        const id = `msg_${randomUUID()}`;
        const status = 'pending' as const;
        return {
          ...{ id, role: 'user' as const, content, metadata, status, channel, queueMode, conversationId },
          createdAt: new Date(),
        };
      },
      (error) => console.error(error),
    );
    await nats.flush();
  });
  beforeEach(() => {
    dedupeKeys.length = 0;
    isAway = false;
  });
  afterAll(async () => {
    await nats?.close();
    await database?.close();
    await roost?.stop();
  });

  const send = async (key: string, content: string) => {
    const path = `/v1/agent/${anAgent.id}/messages`;
    return (await roost.api('POST', path, { content }, { 'idempotency-key': key })).status;
  };
  const pass = (key: string, time: string) =>
    database.query(`UPDATE idempotency SET created_at = created_at - $2::interval WHERE key = $1`, [key, time]);

  it.each(['another message', 'the same'])('is new for %s that is sent by a key after 24 hours', async (content) => {
    const key = `day ${content}`;
    expect(await send(key, 'the same')).toBe(201);
    await pass(key, '24 hours 1 minute');
    expect(await send(key, content)).toBe(201);
    expect(dedupeKeys).toEqual([expect.stringContaining(`api:${key}`), expect.stringContaining(`api:${key}`)]);
    expect(dedupeKeys[0]).not.toBe(dedupeKeys[1]);
  });

  it('is the same when a call that failed is repeated, and fits with the longest key', async () => {
    const key = 'k'.repeat(255);
    isAway = true;
    expect(await send(key, 'm')).toBe(503);
    await pass(key, '23 hours');
    expect(await send(key, 'm')).toBe(503);
    isAway = false;
    await pass(key, '23 hours');
    expect(await send(key, 'm')).toBe(201);
    expect(dedupeKeys).toHaveLength(3);
    expect(new Set(dedupeKeys).size).toBe(1);
  });

  it('is the same for a call that was taken for lost with its gateway, also one of the version before', async () => {
    const kept = `UPDATE idempotency SET status = NULL, created_at = now() - interval '16 seconds'`;
    await send('lost', 'm');
    await database.query(`${kept} WHERE key = 'lost'`);
    await send('lost', 'm');
    expect(dedupeKeys).toHaveLength(2);
    expect(dedupeKeys[1]).toBe(dedupeKeys[0]);
    await database.query(`${kept}, first_call = NULL WHERE key = 'lost'`);
    await send('lost', 'm');
    expect(dedupeKeys[2]).toBe('api:lost');
  });

  it('is new for another message that is sent by the key of one that failed', async () => {
    isAway = true;
    expect(await send('mended', 'm')).toBe(503);
    isAway = false;
    expect(await send('mended', 'other')).toBe(201);
    expect(dedupeKeys[1]).not.toBe(dedupeKeys[0]);
  });
});
