import type { DeliveryStatus } from '#lib/contracts';
import { Database } from '#lib/database';
import { type FreshDatabase, freshDatabase } from '#lib/testing';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { migrations } from '../migrations/index.js';
import { pagesRead } from '../../test/pages-read.js';
import { Undelivered1797800000000 } from '../migrations/undelivered-1797800000000.js';
import { idsToReplay, listDeliveries } from './deliveries.repository.js';

type Status = z.output<typeof DeliveryStatus>;

/** Pages that a list may read beside 20,000 deliveries, which are a thousand. */
const MAX_PAGES = 300;

describe('lists of deliveries', () => {
  let server: FreshDatabase;
  let database: Database;
  const [accountId, endpointId, agentId] = [randomUUID(), randomUUID(), randomUUID()];

  const plan = (count: number, status: Status, event = 'message.completed', account = accountId, agent = agentId) =>
    database.query<{ id: string }>(
      `INSERT INTO deliveries (account_id, endpoint_id, event_id, agent_id, event_type, status)
       SELECT $1, $2, gen_random_uuid(), $3, $4, $5 FROM generate_series(1, $6) RETURNING id`,
      [account, endpointId, agent, event, status, count],
    );
  const ended = async (count: number, status: Status, event?: string) => {
    const ids = (await plan(count, 'pending', event)).map(({ id }) => id);
    await database.query(`UPDATE deliveries SET status = $2, finished_at = now() WHERE id = ANY ($1)`, [ids, status]);
    return ids.reverse();
  };
  const list = async (query: Partial<Parameters<typeof listDeliveries>[2]>) =>
    (await listDeliveries(database, accountId, { limit: 20, ...query })).map(({ id }) => id);
  const pagesOf = async (read: () => Promise<unknown>) => {
    const before = await pagesRead(database, ['deliveries', 'undelivered']);
    await read();
    return (await pagesRead(database, ['deliveries', 'undelivered'])) - before;
  };

  let dead: string[];
  let blocked: string[];
  let rare: string[];

  beforeAll(async () => {
    server = await freshDatabase();
    const before = migrations.filter((migration) => migration !== Undelivered1797800000000);
    const old = await Database.open({ url: server.url, schema: 'webhooks', migrations: before, poolSize: 1 });
    database = old;
    dead = await ended(3, 'dead');
    await old.close();
    database = await Database.open({ url: server.url, schema: 'webhooks', migrations, poolSize: 1 });
    blocked = await ended(2, 'blocked');
    rare = await ended(3, 'succeeded', 'agent.created');
    await ended(20_000, 'succeeded');
    await plan(30, 'dead', 'message.completed', randomUUID());
    await database.query(`ANALYZE`);
  });
  afterAll(async () => {
    await database.close();
    await server.drop();
  });

  it('find by their status what was not delivered, newest first, also what ended before there was a table for it', async () => {
    const cancelled = await ended(4, 'cancelled');
    expect(await list({ status: 'dead' })).toEqual(dead);
    expect(await list({ status: 'blocked' })).toEqual(blocked);
    expect(await list({ status: 'cancelled' })).toEqual(cancelled);
    expect(await list({ status: 'dead', before: dead[0] })).toEqual(dead.slice(1));
    expect(await list({ status: 'dead', agentId, endpointId, event: 'message.completed' })).toEqual(dead);
    expect(await list({ status: 'dead', agentId: randomUUID() })).toEqual([]);
    expect(await list({ status: 'dead', event: 'agent.created' })).toEqual([]);
    expect(await list({ status: 'blocked', until: new Date(0) })).toEqual([]);
    expect(await list({ event: 'agent.created' })).toEqual(rare);
    const replayed = await database.transaction((tx) =>
      idsToReplay(tx, accountId, { endpointId, since: new Date(0), status: 'dead' }),
    );
    expect(replayed).toEqual([...dead].reverse());
  });

  it('follow what is sent again, fails again and is removed', async () => {
    const [newest, ...others] = await ended(3, 'dead');
    await database.query(`UPDATE deliveries SET status = 'pending' WHERE id = $1`, [newest]);
    expect(await list({ status: 'dead' })).toEqual([...others, ...dead]);
    await database.query(`UPDATE deliveries SET status = 'blocked' WHERE id = $1`, [newest]);
    expect(await list({ status: 'blocked' })).toEqual([newest, ...blocked]);
    await database.query(`DELETE FROM deliveries WHERE id = ANY ($1)`, [[newest, ...others]]);
    expect([await list({ status: 'dead' }), await list({ status: 'blocked' })]).toEqual([dead, blocked]);
    const [kept] = await database.query(`SELECT count(*)::int AS count FROM undelivered WHERE account_id = $1`, [
      accountId,
    ]);
    expect(kept).toEqual({ count: dead.length + blocked.length + (await list({ status: 'cancelled' })).length });
  });

  it.each([
    ['what is dead', { status: 'dead' }],
    ['what is blocked of an agent', { status: 'blocked', agentId }],
    ['an event that is rare', { event: 'agent.created' }],
    ['an event that is dead', { status: 'dead', event: 'agent.created' }],
    ['the newest', {}],
    ['what was delivered', { status: 'succeeded' }],
  ] as const)('find %s without reading the history', async (_, query) => {
    for (let n = 0; n < 7; n += 1) await list(query); // from the sixth on by a plan that is kept
    expect(await pagesOf(() => list(query))).toBeLessThan(MAX_PAGES);
  });

  it('find what is sent again without reading the history', async () => {
    const since = new Date(0);
    const read = () => database.transaction((tx) => idsToReplay(tx, accountId, { endpointId, since, status: 'dead' }));
    expect(await pagesOf(read)).toBeLessThan(MAX_PAGES);
  });
});
