import { Database } from '#lib/database';
import { freshDatabase } from '#lib/testing';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { migrations } from '../migrations/index.js';
import { claimUnsent } from '../executions/executions.repository.js';
import { readClock, tickClock } from './firing-clock.repository.js';
import { fireDue } from './firing.service.js';

const MANY = 3_000;

describe('a batch of what is due', () => {
  const flooding = randomUUID();
  const others = Array.from({ length: 5 }, () => randomUUID());
  let given: Awaited<ReturnType<typeof freshDatabase>>;
  let database: Database;

  beforeAll(async () => {
    given = await freshDatabase();
    database = await Database.open({ url: given.url, schema: 'scheduler', migrations, poolSize: 4 });
  });
  afterAll(() => database?.close());

  const dueSchedules = (accountId: string, count: number, ago: string) =>
    database.query(
      `INSERT INTO schedules (id, account_id, agent_id, name, cron_expression, timezone, message_template, next_run_at, enabled, catch_up, overlap, queue_mode)
       SELECT gen_random_uuid(), $1::uuid, $1::uuid, 's', '* * * * *', 'UTC', 'hello', now() - $3::interval, true, 'latest', 'skip', 'collect'
         FROM generate_series(1, $2::int)`,
      [accountId, count, ago],
    );
  const dueExecutions = (accountId: string, count: number, ago: string) =>
    database.query(
      `INSERT INTO executions (id, account_id, agent_id, scheduled_for, status, content, metadata, queue_mode, send_at)
       SELECT gen_random_uuid(), $1::uuid, $1::uuid, now(), 'pending', 'hello', '{}', 'collect', now() - $3::interval
         FROM generate_series(1, $2::int)`,
      [accountId, count, ago],
    );

  it('of schedules has each account’s first before a second of any', async () => {
    await dueSchedules(flooding, MANY, '1 minute');
    for (const other of others) await dueSchedules(other, 2, '1 second');
    await database.transaction((tx) => fireDue(tx, new Date(), 12));
    const fired = await database.query<{ account_id: string; count: number }>(
      `SELECT account_id, count(DISTINCT schedule_id)::int AS count FROM executions GROUP BY 1`,
    );
    expect(new Map(fired.map(({ account_id, count }) => [account_id, count]))).toEqual(
      new Map([flooding, ...others].map((account) => [account, 2])),
    );
  });

  it('of schedules is taken once no replica holds any of it', async () => {
    await database.query(`DELETE FROM schedules`);
    await dueSchedules(flooding, 1, '1 minute');
    await tickClock(database, null);
    const round = async () => {
      const { now } = await database.transaction(readClock);
      await database.transaction((tx) => fireDue(tx, now, 12));
      await tickClock(database, now);
      const { onTimeSince } = await database.transaction(readClock);
      return onTimeSince.getTime() === now.getTime();
    };
    await database.transaction(async (tx) => {
      await tx.query(`SELECT FROM schedules FOR UPDATE`);
      expect(await round(), 'while another holds one').toBe(false);
    });
    expect(await round()).toBe(true);
  });

  it('of messages to send has each account’s first before a second of any, in each of several at once', async () => {
    await database.query(`DELETE FROM executions`);
    await dueExecutions(flooding, MANY, '1 hour');
    for (const other of others) await dueExecutions(other, 3, '1 second');
    const batches = await Promise.all([1, 2, 3].map(() => claimUnsent(database, 6)));
    const claimed = batches.flat();
    expect(new Set(claimed.map(({ id }) => id)).size).toBe(18);
    // One that begins while another ends can find a row of somebody taken, and has one of the flood in its place.
    const countOf = (account: string) => claimed.filter(({ account_id }) => account_id === account).length;
    for (const other of others) expect(countOf(other)).toBeGreaterThanOrEqual(2);
    expect(countOf(flooding)).toBeLessThanOrEqual(6);
  });

  it('is filled from one account alone where no other has anything', async () => {
    await database.query(`DELETE FROM executions`);
    await dueExecutions(flooding, MANY, '1 hour');
    expect(await claimUnsent(database, 100)).toHaveLength(100);
  });

  it('of schedules fails one that cannot be planned by itself, and carries out those behind it', async () => {
    await database.query(`DELETE FROM executions`);
    await database.query(`DELETE FROM schedules`);
    await dueSchedules(flooding, 1, '1 minute');
    await database.query(`UPDATE schedules SET timezone = 'Moon/Tycho'`);
    await dueSchedules(others[0] ?? '', 1, '1 second');
    const fire = () => database.transaction((tx) => fireDue(tx, new Date(), 12));
    expect(await fire()).toEqual({ hasMore: false, toSend: 1 });
    const executions = await database.query(`SELECT account_id, status, error FROM executions ORDER BY slot`);
    expect(executions).toEqual([
      {
        account_id: flooding,
        status: 'failed',
        error: expect.stringMatching(/until it is changed: timezone/) as string,
      },
      { account_id: others[0], status: 'pending', error: null },
    ]);
    expect(await fire()).toEqual({ hasMore: false, toSend: 0 });
  });
});
