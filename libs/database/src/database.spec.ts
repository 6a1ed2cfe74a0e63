import { cableTo, type FreshDatabase, freshDatabase, until } from '#lib/testing';
import type { MigrationInterface } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Database } from './database.js';
import type { Transaction } from './transaction.js';

describe('a service schema', () => {
  let server: FreshDatabase;
  let database: Database;

  beforeAll(async () => {
    server = await freshDatabase();
    database = await Database.open({ url: server.url, schema: 'shelf', migrations: [], poolSize: 1 });
    await database.query(`CREATE TABLE books (id int PRIMARY KEY)`);
  });
  afterAll(async () => {
    await database.close();
    await server.drop();
  });

  it('is brought up to date once, also by a version that knows less than the one before', async () => {
    const ran: string[] = [];
    const change = (n: number): new () => MigrationInterface => {
      class Change {
        name = `Change170000000000${n}`;
        up = () => Promise.resolve(void ran.push(String(n)));
        down = () => Promise.resolve();
      }
      Object.defineProperty(Change, 'name', { value: `Change170000000000${n}` });
      return Change;
    };
    const [first, second, third] = [change(1), change(2), change(3)];
    const open = async (...migrations: (new () => MigrationInterface)[]) => {
      const opened = await Database.open({ url: server.url, schema: 'changing', migrations, poolSize: 1 });
      await opened.close();
      return ran.splice(0);
    };
    expect(await open(first)).toEqual(['1']);
    expect(await open(first)).toEqual([]);
    expect(await open(first, second, third)).toEqual(['2', '3']);
    expect(await open(first, second)).toEqual([]);
    expect(await open(first, second, third)).toEqual([]);
  });

  it('gives rows of RETURNING and of transactions, and undoes a transaction that fails', async () => {
    expect(await database.query(`INSERT INTO books VALUES ($1) RETURNING id`, [1])).toEqual([{ id: 1 }]);
    await expect(
      database.transaction(async (tx) => {
        await tx.query(`INSERT INTO books VALUES ($1)`, [2]);
        throw new Error('changed my mind');
      }),
    ).rejects.toThrow('changed my mind');
    expect(await database.transaction((tx) => tx.query(`SELECT id FROM books`))).toEqual([{ id: 1 }]);
  });

  it.each([
    ['53100', 'the database’s disk is full'],
    ['53200', 'cannot be reached'],
    ['53300', 'cannot be reached'],
    ['53400', 'cannot be reached'],
    ['58030', 'cannot be reached'],
    ['25006', 'cannot be reached'],
    ['08006', 'cannot be reached'],
    ['57P03', 'cannot be reached'],
  ])('is unavailable while PostgreSQL fails with %s', async (code, message) => {
    const failing = database.query(`DO $$ BEGIN RAISE EXCEPTION 'failed' USING ERRCODE = '${code}'; END $$`);
    await expect(failing).rejects.toMatchObject({
      code: 'SERVICE_UNAVAILABLE',
      message: expect.stringContaining(message) as string,
    });
    await expect(database.query(`SELECT 1 AS one`)).resolves.toEqual([{ one: 1 }]);
  });

  it.each(['22P02', '23505', '42501', '54000', 'P0001'])('is not, when it refuses with %s', async (code) => {
    const refused = database.query(`DO $$ BEGIN RAISE EXCEPTION 'refused' USING ERRCODE = '${code}'; END $$`);
    await expect(refused).rejects.toMatchObject({ code });
  });

  it('commits with the last statement, and not when that one or the commit is refused', async () => {
    await database.query(
      `CREATE TABLE lasts (n int PRIMARY KEY, twin int REFERENCES lasts DEFERRABLE INITIALLY DEFERRED)`,
    );
    const last = (n: number, twin: number | null) =>
      database.transaction(async (tx) => {
        await tx.query(`INSERT INTO lasts VALUES ($1 + 100)`, [n]);
        return tx.finish(`INSERT INTO lasts VALUES ($1, $2) RETURNING n`, [n, twin]);
      });
    await expect(last(1, null)).resolves.toEqual([{ n: 1 }]);
    await expect(last(1, null)).rejects.toThrow(/duplicate key/);
    await expect(last(2, 3)).rejects.toThrow(/foreign key/);
    expect(await database.query(`SELECT n FROM lasts ORDER BY n`)).toEqual([{ n: 1 }, { n: 101 }]);
  });

  it('runs a transaction again that was ended for a deadlock with another', async () => {
    const two = await Database.open({ url: server.url, schema: 'shelf', migrations: [], poolSize: 2 });
    await two.query(`CREATE TABLE seats (id int PRIMARY KEY, taken int NOT NULL DEFAULT 0)`);
    await two.query(`INSERT INTO seats VALUES (1), (2)`);
    let waiting = 2;
    let letGo = (): void => undefined;
    const bothHoldOne = new Promise<void>((resolve) => (letGo = resolve));
    let runs = 0;
    const take = (...ids: number[]) =>
      two.transaction(async (tx) => {
        runs += 1;
        for (const id of ids) {
          await tx.query(`UPDATE seats SET taken = taken + 1 WHERE id = $1`, [id]);
          if (--waiting === 0) letGo();
          await bothHoldOne;
        }
      });
    await Promise.all([take(1, 2), take(2, 1)]);
    expect(await two.query(`SELECT taken FROM seats ORDER BY id`)).toEqual([{ taken: 2 }, { taken: 2 }]);
    // PostgreSQL ends one of them, and again where the other is slow to go on.
    expect(runs).toBeGreaterThan(2);
    await two.close();
  });

  it('lets the one go first that was not ended, slow as it may be to take what became free', async () => {
    const three = await Database.open({ url: server.url, schema: 'shelf', migrations: [], poolSize: 3 });
    await three.query(`CREATE TABLE chairs (id int PRIMARY KEY)`);
    await three.query(`INSERT INTO chairs VALUES (1), (2)`);
    const take = (tx: Transaction, id: number) => tx.query(`UPDATE chairs SET id = id WHERE id = $1`, [id]);
    const slow = { pid: 0, mayGoOn: false, isDone: false };
    const goesOn = three.transaction(async (tx) => {
      await take(tx, 2);
      const [row] = await tx.query<{ pid: number }>(`SELECT pg_backend_pid() AS pid`);
      slow.pid = row?.pid ?? 0;
      await until('the other holds one', () => slow.mayGoOn);
      await take(tx, 1);
      slow.isDone = true;
    });
    const isEnded = three.transaction(async (tx) => {
      await until('the other holds one', () => slow.pid > 0);
      await take(tx, 1);
      slow.mayGoOn = true;
      const waits = `SELECT FROM pg_locks WHERE pid = $1 AND NOT granted`;
      await until('it waits', async () => slow.isDone || (await three.query(waits, [slow.pid])).length > 0);
      if (slow.isDone) return;
      process.kill(slow.pid, 'SIGSTOP');
      await take(tx, 2).finally(() => setTimeout(() => process.kill(slow.pid, 'SIGCONT'), 20));
    });
    await expect(Promise.all([isEnded, goesOn])).resolves.toBeDefined();
    await three.close();
  });

  it('says that the server does not answer, and gives up the connection that it asked on', async () => {
    const cable = await cableTo(server.url);
    const behind = await Database.open({ url: cable.url, schema: 'shelf', migrations: [], poolSize: 1 });
    expect(await behind.isUp()).toBe(true);
    cable.silence(true);
    expect(await behind.isUp()).toBe(false);
    cable.silence(false);
    expect(await behind.isUp()).toBe(true);
    await behind.close();
    cable.close();
    expect(await behind.isUp()).toBe(false);
  });

  it('says that the server answers once a connection is free again', async () => {
    let giveBack = () => undefined as void;
    const taken = database.session(() => new Promise<void>((resolve) => (giveBack = resolve)));
    expect(await database.isUp()).toBe(false);
    giveBack();
    await taken;
    expect(await database.isUp()).toBe(true);
  });

  it('goes on after a statement of a transaction was refused', async () => {
    await expect(database.transaction((tx) => tx.query(`INSERT INTO books VALUES ($1)`, [1]))).rejects.toMatchObject({
      code: '23505',
    });
    expect(await database.query(`SELECT id FROM books`)).toEqual([{ id: 1 }]);
  });

  it('asks to try again when a newer replica changed a table under a prepared statement, and works at that try', async () => {
    const all = () => database.query(`SELECT * FROM books`);
    expect(await all()).toEqual([{ id: 1 }]);
    await database.query(`ALTER TABLE books ADD title text`);
    await expect(all()).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
    expect(await all()).toEqual([{ id: 1, title: null }]);
  });
});
