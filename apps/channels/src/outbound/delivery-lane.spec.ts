import { RoostError } from '#lib/contracts';
import { Database, newId, type Queries, type Transaction } from '#lib/database';
import { type FreshDatabase, freshDatabase } from '#lib/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Lease, takeLease } from '../connections/leases.repository.js';
import { migrations } from '../migrations/index.js';
import { ChatMoves } from './chat-moves.js';
import type { Outlet } from './deliver.js';
import { DeliveryLane } from './delivery-lane.js';

describe('what is shown while the database or our own side fails', () => {
  let server: FreshDatabase;
  let database: Database;
  let lease: Lease;
  /** Statements that do not reach the database; with `isDone` they do, and their answer is lost. */
  let away: { statement: RegExp; isDone?: boolean } | undefined;
  let shown: string[] = [];
  let send: (text: string) => string;
  const accountId = newId();
  const agentId = newId();

  const unreachable = () => new RoostError('SERVICE_UNAVAILABLE', 'the database cannot be reached for now');
  const flaky = <T extends Queries>(queries: T): T =>
    new Proxy(queries, {
      get(target, name) {
        const own = Reflect.get(target, name) as unknown;
        if (name === 'transaction')
          return (work: (tx: Transaction) => Promise<unknown>) => database.transaction((tx) => work(flaky(tx)));
        if (name !== 'query') return typeof own === 'function' ? (own.bind(target) as unknown) : own;
        return async (sql: string, parameters?: unknown[]) => {
          if (!away?.statement.test(sql)) return target.query(sql, parameters);
          if (away.isDone) await target.query(sql, parameters);
          throw unreachable();
        };
      },
    });
  const lane = (isIdempotent: boolean) => {
    const through = flaky(database);
    const outlet = {
      ...{ database: through, lease, moves: new ChatMoves(through, lease), onFailure: () => undefined },
      adapter: { platform: 'telegram', isIdempotent, isGroup: () => false, chatOf: (place: string) => place },
      connection: {
        send: (_place: string, text: string) => Promise.resolve().then(() => send(text)),
        edit: () => Promise.resolve(),
      },
      tracer: { span: (_name: string, _options: object, work: () => unknown) => work() },
    } as unknown as Outlet;
    return new DeliveryLane(outlet, 'text');
  };
  const plan = async (body: string, more: { state?: string; fence?: string } = {}) => {
    await database.query(
      `INSERT INTO deliveries (account_id, agent_id, platform, bot_id, place, turn_id, part, body, reply_ids, state, fence)
       VALUES ($1, $2, 'telegram', '1', '7', $3, 0, $4, $5, $6, $7)`,
      [accountId, agentId, newId(), body, [`msg_${newId()}`], more.state ?? 'pending', more.fence ?? '0'],
    );
  };
  const states = async () => {
    const rows = await database.query<{ state: string }>(`SELECT state FROM deliveries ORDER BY id`);
    return rows.map(({ state }) => state);
  };
  const reasons = async () => {
    const rows = await database.query<{ payload: { reason: string } }>(
      `SELECT payload FROM outbox WHERE subject = 'events.channels.delivery.failed' ORDER BY id`,
    );
    return rows.map(({ payload }) => payload.reason);
  };
  const isDueNow = () => database.query(`UPDATE deliveries SET next_attempt_at = now()`);

  beforeAll(async () => {
    server = await freshDatabase();
    database = await Database.open({ url: server.url, schema: 'channels', migrations, poolSize: 2 });
    await database.query(
      `INSERT INTO bindings (id, account_id, agent_id, platform, bot_id, user_id, place) VALUES ($1, $2, $3, 'telegram', '1', '7', '7')`,
      [newId(), accountId, agentId],
    );
  });
  beforeEach(async () => {
    const taken = await takeLease(database, 'telegram', '1', newId());
    if (!taken) throw new Error('another test has the lease');
    lease = taken;
    shown = [];
    send = (text) => String(shown.push(text));
  });
  afterEach(async () => {
    away = undefined;
    await database.query(`DELETE FROM deliveries`);
    await database.query(`DELETE FROM outbox`);
    await database.query(`UPDATE connection_leases SET expires_at = now()`);
  });
  afterAll(async () => {
    await database?.close();
    await server?.drop();
  });

  const OUTAGES: [string, NonNullable<typeof away>, number][] = [
    ['before anything is known of it', { statement: /FROM room_moves/ }, 0],
    ['as it is claimed', { statement: /SET state = 'sending'/ }, 0],
    ['after it was claimed, before that is known', { statement: /SET state = 'sending'/, isDone: true }, 0],
    ['before it is known who is linked', { statement: /FROM bindings/ }, 0],
    ['after it was shown', { statement: /next_attempt_at = now\(\) \+/ }, 1],
    ['after it was shown and written', { statement: /next_attempt_at = now\(\) \+/, isDone: true }, 1],
  ];
  for (const isIdempotent of [true, false])
    it.each(OUTAGES)(
      `is shown once when the database is away %s (${isIdempotent ? 'a repeated message shows nothing new' : 'a repeated message is shown twice'})`,
      async (_when, outage, shownMeanwhile) => {
        const one = lane(isIdempotent);
        await plan('hello');
        await plan('you');
        away = outage;
        for (let tries = 0; tries < 3; tries += 1) {
          await expect(one.deliverNext()).rejects.toThrow('cannot be reached');
          await isDueNow();
        }
        expect(shown).toHaveLength(shownMeanwhile);
        away = undefined;
        await isDueNow();
        while ((await one.deliverNext()) !== undefined) await isDueNow();
        expect(shown).toEqual(['hello', 'you']);
        expect(await states()).toEqual(['done', 'done']);
      },
    );

  it.each([
    [true, 'done', ['left', 'next']],
    [false, 'uncertain', ['next']],
  ])(
    'goes on after a session that ended while it was sending (repeats show nothing new: %s)',
    async (is, state, all) => {
      await plan('left', { state: 'sending', fence: '0' });
      await plan('next');
      const one = lane(is);
      away = { statement: /connection was lost/ };
      await expect(one.deliverNext()).rejects.toThrow('cannot be reached');
      away = undefined;
      while ((await one.deliverNext()) !== undefined);
      expect(shown).toEqual(all);
      expect(await states()).toEqual([state, 'done']);
      expect(await reasons()).toEqual(is ? [] : ['it may have been shown or not: the connection was lost']);
    },
  );

  it.each([
    [
      'has the lease now',
      '0',
      () => database.query(`UPDATE connection_leases SET holder = $1, fence = fence + 1`, [newId()]),
    ],
    ['has a newer one', '99', () => Promise.resolve()],
  ])('leaves alone what another replica sends, which %s', async (_which, fence, takeOver) => {
    const one = lane(true);
    away = { statement: /SET state = 'sending'/ };
    await expect(one.deliverNext()).rejects.toThrow('cannot be reached');
    away = undefined;
    await plan('theirs', { state: 'sending', fence });
    await takeOver();
    expect(await one.deliverNext()).toBeUndefined();
    expect(await states()).toEqual(['sending']);
  });

  it('gives up what fails on our side each time, reports it, and shows what waited behind it', async () => {
    await plan('cursed');
    await plan('fine');
    send = (text) => {
      if (text === 'cursed') throw new TypeError('a fault of ours');
      return String(shown.push(text));
    };
    const one = lane(true);
    for (let tries = 0; tries < 10; tries += 1) {
      await expect(one.deliverNext()).rejects.toThrow('a fault of ours');
      await isDueNow();
    }
    while ((await one.deliverNext()) !== undefined);
    expect(shown).toEqual(['fine']);
    expect(await states()).toEqual(['failed', 'done']);
    expect(await reasons()).toEqual(['something goes wrong with it on our side, each time']);
  });

  it('does not count what only passes', async () => {
    await plan('late');
    send = () => {
      throw unreachable();
    };
    const one = lane(true);
    for (let tries = 0; tries < 12; tries += 1) {
      await expect(one.deliverNext()).rejects.toThrow('cannot be reached');
      await isDueNow();
    }
    send = (text) => String(shown.push(text));
    await one.deliverNext();
    expect(shown).toEqual(['late']);
  });
});
