import { keyringOf, Sealer } from '#lib/auth';
import { createAgent, RoostError } from '#lib/contracts';
import { Database } from '#lib/database';
import { serve } from '#lib/rpc';
import { connectAs, startRoost, type TestRoost, until } from '#lib/testing';
import type { NatsConnection } from '@nats-io/transport-node';
import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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
    expect(await calls.take(third, 'same')).toBeUndefined();
  });
});
