import { deferred, until } from '#lib/testing';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { ConnectionsFixture } from '../../test/connections-fixture.js';
import { LEASE_MS } from './leases.repository.js';

const it = test.extend<{ fixture: ConnectionsFixture }>({
  fixture: async ({}, use) => {
    const fixture = await ConnectionsFixture.open();
    await use(fixture);
    await fixture.close();
  },
});

// Each waits for longer than a lease.
describe.concurrent("a bot's lease", () => {
  it('outlasts slow statements, however many bots there are', async ({ fixture }) => {
    for (let number = 0; number < 12; number += 1) fixture.bots.push(fixture.bot(`${number}`, `token ${number}`));
    const { database } = await fixture.startReplica();
    await until('all are connected', () => fixture.connected.length === 12);
    const query = database.query.bind(database);
    vi.spyOn(database, 'query').mockImplementation(async (...statement) => {
      await sleep(1_000);
      return query(...(statement as Parameters<typeof query>)) as never;
    });
    await sleep(1.5 * LEASE_MS);
    await fixture.renewedTwice('0');
    expect(new Set(await fixture.fences())).toEqual(new Set(['1']));
    expect(fixture.disconnected).toEqual([]);
  });

  it('is renewed while another bot cannot be taken', async ({ fixture }) => {
    fixture.bots.push(fixture.bot('1', 'first'));
    await fixture.startReplica();
    await until('it is connected', () => fixture.connected.includes('first'));
    await fixture.rows.transaction(async (tx) => {
      // Whoever takes this bot waits for the transaction.
      await tx.query(
        `INSERT INTO connection_leases (platform, bot_id, holder, expires_at)
         VALUES ('telegram', '0', gen_random_uuid(), now())`,
      );
      fixture.bots.unshift(fixture.bot('0', 'second'));
      await sleep(3_000);
      await fixture.renewedTwice('1');
    });
    await until('the other is connected, too', () => fixture.connected.includes('second'));
    expect(fixture.disconnected).toEqual([]);
  });

  it('is over for its holder when it is for others, however late the last answer came', async ({ fixture }) => {
    fixture.bots.push(fixture.bot('1', 'token'));
    const { database } = await fixture.startReplica();
    await until('it is connected', () => fixture.connected.length === 1);
    const query = database.query.bind(database);
    let hasFirst = false;
    vi.spyOn(database, 'query').mockImplementation(async (...statement) => {
      if (hasFirst) throw new Error('the database is away');
      hasFirst = true;
      const rows = await query(...(statement as Parameters<typeof query>));
      await sleep(5_000);
      return rows as never;
    });
    await until('it is disconnected', () => fixture.disconnected.length === 1);
    const { expiresAt, now } = await fixture.leaseOf('1');
    expect(now - expiresAt).toBeLessThan(2_500);
  });

  it('is not used when it is over before the answer comes', async ({ fixture }) => {
    const { database } = await fixture.startReplica();
    const query = database.query.bind(database);
    let hasFirst = false;
    let isAnswered = false;
    vi.spyOn(database, 'query').mockImplementation(async (...statement) => {
      if (hasFirst) throw new Error('the database is away');
      hasFirst = true;
      const rows = await query(...(statement as Parameters<typeof query>));
      await sleep(1.2 * LEASE_MS);
      isAnswered = true;
      return rows as never;
    });
    fixture.bots.push(fixture.bot('1', 'token'));
    await until('the lease is given, late', () => isAnswered);
    await sleep(1_000);
    expect(fixture.connected).toEqual([]);
  });

  it('is over for its holder also while a statement gets no answer', async ({ fixture }) => {
    fixture.bots.push(fixture.bot('1', 'token'));
    const { database } = await fixture.startReplica();
    await until('it is connected', () => fixture.connected.length === 1);
    const query = database.query.bind(database);
    const answer = deferred();
    vi.spyOn(database, 'query').mockImplementation(async (...statement) => {
      await answer.promise;
      return query(...(statement as Parameters<typeof query>)) as never;
    });
    await until('it is disconnected', () => fixture.disconnected.length === 1, { timeoutMs: 2 * LEASE_MS }).finally(
      answer.resolve,
    );
    await until('it is connected again', () => fixture.connected.length === 2);
    expect(await fixture.fences()).toEqual(['2']);
  });

  it('is renewed until a session that ends has sent what it is sending, also at shutdown', async ({ fixture }) => {
    fixture.bots.push(fixture.bot('1', 'sending'));
    const { service } = await fixture.startReplica();
    await until('it is connected', () => fixture.connected.length === 1);
    const isOver = vi.fn();
    const shutdown = service.beforeApplicationShutdown().then(isOver);
    await until('it is being disconnected', () => fixture.disconnected.length === 1);
    await fixture.startReplica();
    await sleep(1.5 * LEASE_MS);
    await fixture.renewedTwice('1');
    expect(fixture.connected).toHaveLength(1);
    expect(isOver).not.toHaveBeenCalled();
    fixture.finishSending();
    await shutdown;
    await until('the other replica has it', () => fixture.connected.length === 2);
    expect(await fixture.fences()).toEqual(['2']);
  });

  it('is renewed until a session has ended whose bot has another token', async ({ fixture }) => {
    fixture.bots.push(fixture.bot('1', 'sending'));
    await fixture.startReplica();
    await until('it is connected', () => fixture.connected.length === 1);
    fixture.bots[0] = fixture.bot('1', 'another');
    await until('it is being disconnected', () => fixture.disconnected.length === 1);
    await fixture.startReplica();
    await sleep(1.5 * LEASE_MS);
    await fixture.renewedTwice('1');
    expect(await fixture.fences()).toEqual(['1']);
    expect(fixture.connected).toEqual(['sending']);
    fixture.finishSending();
    await until('it is connected anew', () => fixture.connected.includes('another'));
    expect(await fixture.fences()).toEqual(['2']);
  });
});
