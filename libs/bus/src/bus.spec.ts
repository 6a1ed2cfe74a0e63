import { type CallContext, ownCall } from '#lib/call-context';
import { event, EVENTS_STREAM, request, RoostError, STREAM_GAP, wire } from '#lib/contracts';
import { busEnvironment, databaseEnvironment } from '#lib/config';
import { createEventTables, Database, type Transaction } from '#lib/database';
import { commonSubject } from '#lib/nats-auth';
import { serve } from '#lib/rpc';
import { createLogger } from '#lib/observability';
import { freshBus, freshDatabase, until } from '#lib/testing';
import { type CanActivate, Controller, type ExecutionContext, Module, UseGuards } from '@nestjs/common';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { QueryRunner } from 'typeorm';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Bus, Consumes, Handles, type RunningService, startService } from './index.js';
import { OutboxRelay } from './outbox/outbox-relay.js';

const greet = request('greeter.person.greet', {
  input: wire({ firstName: z.string().max(10) }),
  output: wire({ spokenText: z.string() }),
});
const greeted = event('greeter.person.greeted', wire({ firstName: z.string() }));

class Greetings1700000000000 {
  name = 'Greetings1700000000000';
  async up(runner: QueryRunner) {
    await createEventTables(runner);
    await runner.query(`CREATE TABLE greetings (first_name text)`);
  }
  async down() {}
}

const greetGuarded = request('greeter.friend.greet', { input: greet.input, output: greet.output });

class OnlyFriends implements CanActivate {
  canActivate(host: ExecutionContext) {
    const { firstName } = host.switchToRpc().getData<{ firstName: string }>();
    if (firstName !== 'Ada') throw new RoostError('ACCESS_DENIED', 'only friends');
    return true;
  }
}

let failures = 0;
let refusals = 0;

@Controller()
class Greeter {
  constructor(
    private readonly database: Database,
    private readonly bus: Bus,
  ) {}

  @Handles(greet)
  async greet({ firstName }: { firstName: string }, context: CallContext) {
    if (firstName === 'nobody') throw new RoostError('NOT_FOUND', 'there is nobody', [{ reason: 'absent' }]);
    if (firstName === 'bug') throw new Error('SELECT secret FROM vault');
    await this.database.transaction((tx) => tx.outbox(greeted, { firstName }, firstName));
    return { spokenText: `hello ${firstName} of ${context.accountId} via ${this.bus.service}` };
  }

  @Handles(greetGuarded)
  @UseGuards(OnlyFriends)
  greetFriend({ firstName }: { firstName: string }) {
    return { spokenText: `welcome ${firstName}` };
  }

  @Consumes(greeted, ({ first_name }) => first_name !== 'ignored')
  async onGreeted({ firstName }: { firstName: string }, tx: Transaction) {
    await tx.query(`INSERT INTO greetings VALUES ($1)`, [firstName]);
    if (firstName === 'twice' && failures++ === 0) throw new Error('first time fails');
    if (firstName.startsWith('hopeless')) throw new Error('fails every time');
    if (firstName === 'crowd 7' && refusals++ < 2) throw new Error('fails in the crowd and alone');
  }
}

@Module({ controllers: [Greeter] })
class GreeterModule {}

describe('a service on the bus', () => {
  let service: RunningService;
  let database: Awaited<ReturnType<typeof freshDatabase>>;
  let nats: Awaited<ReturnType<typeof freshBus>>;
  let caller: Bus;
  let rows: Database;

  beforeAll(async () => {
    [database, nats] = await Promise.all([freshDatabase(), freshBus()]);
    const migrations = [Greetings1700000000000];
    service = await startService({
      name: 'greeter',
      env: { NATS_URL: nats.url, NATS_CREDS: nats.creds, DATABASE_URL: database.url },
      config: z.object({ ...busEnvironment, ...databaseEnvironment }),
      module: GreeterModule,
      database: { schema: 'greeter', migrations },
    });
    caller = new Bus(await nats.connect(), 'caller');
    rows = await Database.open({ url: database.url, schema: 'greeter', migrations, poolSize: 2 });
  });

  afterAll(async () => {
    await rows.close();
    await caller.connection.close();
    await service.stop();
    nats.release();
    await database.drop();
  });

  const ask = (firstName: string, context: Partial<CallContext> = {}) =>
    caller.request(greet, { firstName }, { ...ownCall('req_1'), accountId: 'acme', ...context });
  const greetingsOf = async (name: string) =>
    (await rows.query(`SELECT 1 FROM greetings WHERE first_name = $1`, [name])).length;
  const untilPublished = (of = rows) =>
    until('everything is published, and marked', async () => {
      return (await of.query(`SELECT 1 FROM outbox WHERE published_at IS NULL`)).length === 0;
    });

  it('has Nest call its handlers, guards included', async () => {
    expect(await caller.request(greetGuarded, { firstName: 'Ada' })).toEqual({ spokenText: 'welcome Ada' });
    const refused = caller.request(greetGuarded, { firstName: 'Eve' });
    await expect(refused).rejects.toMatchObject({ code: 'ACCESS_DENIED', message: 'only friends' });
  });

  it('says a hint at once, and those that follow at once together', async () => {
    const received: string[] = [];
    const listener = await nats.connect();
    listener.subscribe('hints.*', { callback: (_, { subject }) => void received.push(subject) });
    await listener.flush();
    for (let count = 0; count < 5; count += 1) caller.hint('hints.one');
    caller.hint('hints.other');
    await until('the last has arrived', () => Promise.resolve(received.length === 3));
    await sleep(100);
    expect(received).toEqual(['hints.one', 'hints.other', 'hints.one']);
    caller.hint('hints.one');
    await until('a later one has arrived', () => Promise.resolve(received.length === 4));
    await listener.close();
  });

  it('answers in the context of the caller', async () => {
    await expect(ask('ann')).resolves.toEqual({ spokenText: 'hello ann of acme via greeter' });
  });

  it('gives typed errors, and INTERNAL without the inner text for anything else', async () => {
    await expect(ask('nobody')).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: 'there is nobody',
      details: [{ reason: 'absent' }],
    });
    await expect(ask('bug')).rejects.toMatchObject({ code: 'INTERNAL', message: expect.not.stringContaining('vault') });
  });

  it('refuses what does not fit the contract', async () => {
    const answer = await caller.connection.request(
      greet.subject,
      JSON.stringify({ first_name: 'far too long a name', lastName: 'x' }),
      { timeout: 20_000 },
    );
    expect(answer.json()).toMatchObject({
      code: 'VALIDATION_ERROR',
      details: [
        { field: 'first_name', max: 10 },
        { field: 'lastName', reason: 'unknown_field' },
      ],
    });
  });

  it('says SERVICE_UNAVAILABLE when nobody serves a subject or the deadline is over', async () => {
    const nobody = request('absent.thing.do', { input: wire({}), output: wire({}) });
    await expect(caller.request(nobody, {})).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
    await expect(ask('ann', { deadline: Date.now() - 1 })).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
  });

  it('carries out an event once, also when the first try fails', async () => {
    await ask('once');
    await until('the event is carried out', async () => (await greetingsOf('once')) === 1);
    await ask('twice');
    await until('the event is carried out at the second try', async () => (await greetingsOf('twice')) === 1);
    expect(failures).toBe(2);
  });

  it('carries out those that wait together, and each alone when one of them fails', async () => {
    const greetAll = async (names: string[]) => {
      await rows.transaction(async (tx) => {
        for (const firstName of names) await tx.outbox(greeted, { firstName }, 'crowd');
      });
      const found = () =>
        rows.query<{ first_name: string; tx: string }>(
          `SELECT first_name, xmin::text AS tx FROM greetings WHERE first_name = ANY($1)`,
          [names],
        );
      await until('all are carried out', async () => (await found()).length >= names.length);
      const greetings = await found();
      expect(greetings.map(({ first_name }) => first_name).toSorted()).toEqual(names.toSorted());
      return new Set(greetings.map(({ tx }) => tx)).size;
    };
    const names = (crowd: string) => Array.from({ length: 30 }, (_, index) => `${crowd} ${index}`);
    expect(await greetAll(names('fine'))).toBeLessThan(30);
    await greetAll(names('crowd'));
    expect(refusals).toBe(3);
  });

  it('reads replies and events of the next version without what it added to them', async () => {
    const newerGreeted = event('greeter.person.greeted', wire({ firstName: z.string(), tone: z.string() }));
    await rows.transaction((tx) => tx.outbox(newerGreeted, { firstName: 'newer', tone: 'warm' }, 'newer'));
    await until('the event is carried out', async () => (await greetingsOf('newer')) === 1);
    const newerGet = request('newer.thing.get', {
      input: wire({}),
      output: wire({ text: z.string(), tone: z.string() }),
    });
    const served = serve(
      caller.connection,
      newerGet,
      newerGet.subject,
      () => ({ text: 'hi', tone: 'warm' }),
      () => undefined,
    );
    const get = request('newer.thing.get', { input: wire({}), output: wire({ text: z.string() }) });
    await expect(caller.request(get, {})).resolves.toEqual({ text: 'hi' });
    served.unsubscribe();
  });

  it('spends no inbox row on an event that does not concern the consumer', async () => {
    await ask('ignored');
    await ask('next');
    await until('the next event is carried out', async () => (await greetingsOf('next')) === 1);
    expect(await greetingsOf('ignored')).toBe(0);
    expect(
      await rows.query(`SELECT 1 FROM inbox JOIN outbox USING (event_id) WHERE payload->>'first_name' = 'ignored'`),
    ).toEqual([]);
  });

  it('publishes bursts whole and in order, and writes down that it did', async () => {
    const received: string[] = [];
    // Nobody consumes these: what is shown is the relay's part.
    const subject = 'events.greeter.person.passed';
    const subscription = caller.connection.subscribe(subject, {
      callback: (_, message) => void received.push(message.json<{ first_name: string }>().first_name),
    });
    await caller.connection.flush();
    const names = Array.from({ length: 450 }, (_, index) => `burst ${index}`);
    await rows.query(
      `INSERT INTO outbox (subject, key, payload) SELECT $1, 'burst', jsonb_build_object('first_name', name)
       FROM unnest($2::text[]) WITH ORDINALITY AS burst (name, position) ORDER BY position`,
      [subject, names],
    );
    await ask('last');
    await until('the burst is published', () => received.length >= names.length);
    subscription.unsubscribe();
    expect(received).toEqual(names);
    await untilPublished();
  });

  it('leaves out what the client refuses to publish, and holds up nothing else by it', async () => {
    await rows.query(
      `INSERT INTO outbox (subject, key, payload, headers) SELECT $1, 'broken', '{"first_name": "broken"}', $2::jsonb`,
      [greeted.subject, JSON.stringify({ 'roost-request-id': 'two\nlines' })],
    );
    await ask('behind it');
    await until('what came after it is carried out', async () => (await greetingsOf('behind it')) === 1);
    expect(await greetingsOf('broken')).toBe(0);
  });

  it('passes over more messages that are no events than may be in hand at once', async () => {
    const js = jetstream(caller.connection);
    await Promise.all(Array.from({ length: 600 }, () => js.publish(STREAM_GAP)));
    await Promise.all(Array.from({ length: 600 }, () => js.publish(greeted.subject, 'no JSON')));
    await ask('behind');
    await until('the event is carried out', async () => (await greetingsOf('behind')) === 1);
  });

  it('asks for no more subjects than it must', () => {
    expect(commonSubject(['events.a.b.c'])).toBe('events.a.b.c');
    expect(commonSubject(['events.a.b.c', 'events.a.b.d'])).toBe('events.a.b.>');
    expect(commonSubject(['events.a.b.c', 'events.x.b.c'])).toBe('events.>');
  });

  it('loses nothing when the stream vanishes, and does nothing twice', async () => {
    await ask('before');
    await until('the event is carried out', async () => (await greetingsOf('before')) === 1);
    await rows.query(
      `INSERT INTO outbox (subject, key, payload, published_at) VALUES ('events.greeter.person.noted', 'noted', '{}', '-infinity')`,
    );
    const manager = await jetstreamManager(caller.connection);
    await manager.streams.delete(EVENTS_STREAM);
    await ask('after');
    await until('the event is carried out', async () => (await greetingsOf('after')) === 1);
    expect(await greetingsOf('before')).toBe(1);
    const { state } = await manager.streams.info(EVENTS_STREAM, { subjects_filter: 'events.>' });
    expect(state.messages).toBeGreaterThanOrEqual(2);
    expect(state.subjects, 'what is only recorded stays out').not.toHaveProperty(['events.greeter.person.noted']);
  });

  it.each([
    ['2.9.10', 'at once', true],
    ['2.9.10', 'after three days', true],
    ['2.10.0', 'at once', false],
  ])('publishes the last minutes again where a server %s was started anew %s: %s', async (version, when, isAgain) => {
    const name = `${version.slice(0, 4)} ${when.slice(-4)}`;
    await ask(name);
    await until('the event is carried out', async () => (await greetingsOf(name)) === 1);
    await untilPublished();
    if (when !== 'at once')
      await rows.query(
        `UPDATE outbox SET created_at = created_at - interval '3 days', published_at = published_at - interval '3 days'`,
      );
    const manager = await jetstreamManager(caller.connection);
    const lastOf = async () => (await manager.streams.info(EVENTS_STREAM)).state.last_seq;
    const before = await lastOf();
    const info = { ...caller.connection.info, server_id: randomUUID(), version };
    const connection = Object.create(caller.connection, { info: { value: info } }) as NatsConnection;
    const relay = new OutboxRelay(rows, connection, createLogger('greeter', {}));
    relay.start();
    await until('it has looked at the stream', async () => {
      const [state] = await rows.query<{ stream_created: string }>(`SELECT stream_created FROM relay_state`);
      return state?.stream_created.endsWith(info.server_id);
    });
    await untilPublished();
    await relay.stop();
    expect((await lastOf()) > before).toBe(isAgain);
    expect(await greetingsOf(name)).toBe(1);
  });

  it('publishes again, and does not mark, what another server may have taken that lost those before', async () => {
    const alone = await Database.open({
      url: database.url,
      schema: 'alone',
      migrations: [Greetings1700000000000],
      poolSize: 2,
    });
    const subject = 'events.greeter.person.alone';
    let received = 0;
    const subscription = caller.connection.subscribe(subject, { callback: () => void (received += 1) });
    await alone.query(`INSERT INTO outbox (subject, key, payload) VALUES ($1, 'alone', '{}')`, [subject]);
    let reconnect: (value: unknown) => void = () => undefined;
    const isReconnected = new Promise((resolve) => (reconnect = resolve));
    const connection = Object.create(caller.connection, {
      status: {
        value: async function* () {
          await isReconnected;
          yield { type: 'reconnect' };
        },
      },
      request: {
        value: (...asked: Parameters<NatsConnection['request']>) => {
          if (asked[0] === subject) reconnect(undefined);
          return caller.connection.request(...asked);
        },
      },
    }) as NatsConnection;
    const relay = new OutboxRelay(alone, connection, createLogger('alone', {}));
    relay.start();
    await untilPublished(alone);
    await relay.stop();
    subscription.unsubscribe();
    await alone.close();
    expect(received).toBe(2);
  });

  it('carries out what comes after many events that fail every time', async () => {
    await rows.query(
      `INSERT INTO outbox (subject, key, payload) SELECT $1, 'hopeless', jsonb_build_object('first_name', 'hopeless ' || n)
       FROM generate_series(1, 300) AS n`,
      [greeted.subject],
    );
    await ask('after them');
    await until('it is carried out', async () => (await greetingsOf('after them')) === 1);
  });
});
