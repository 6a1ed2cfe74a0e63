import { Database, createDeletedAccounts, newId, type Transaction } from '#lib/database';
import { createLogger } from '#lib/observability';
import { type FreshDatabase, freshDatabase, until } from '#lib/testing';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { AccountRemoval } from './account-removal.js';

class Shelf1795700000000 implements MigrationInterface {
  name = 'Shelf1795700000000';
  async up(runner: QueryRunner): Promise<void> {
    await createDeletedAccounts(runner);
    await runner.query(
      `CREATE TABLE books (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, account_id uuid NOT NULL)`,
    );
  }
  async down(): Promise<void> {}
}

/** Two books at a time, until it is killed: what it then has in hand fails, and it does nothing more. */
class ForgetBooks extends AccountRemoval {
  steps = 0;

  constructor(
    database: Database,
    private readonly killedAtStep = Infinity,
  ) {
    super(database, createLogger('test', { ROOST_LOG_LEVEL: 'silent' }));
  }

  announce(tx: Transaction, accountId: string): Promise<void> {
    return this.begin(tx, accountId);
  }

  protected async removeSome(tx: Transaction, accountId: string): Promise<boolean> {
    const removed = await tx.query(
      `DELETE FROM books WHERE id IN (SELECT id FROM books WHERE account_id = $1 ORDER BY id LIMIT 2) RETURNING id`,
      [accountId],
    );
    this.steps += 1;
    if (this.steps >= this.killedAtStep) throw new Error('killed');
    return removed.length === 2;
  }
}

let server: FreshDatabase;
let database: Database;
beforeAll(async () => {
  server = await freshDatabase();
  database = await Database.open({ url: server.url, schema: 'shelf', migrations: [Shelf1795700000000], poolSize: 3 });
});
afterAll(async () => {
  await database?.close();
  await server?.drop();
});

it('goes on after it was killed in the middle, takes what comes late, and leaves other accounts alone', async () => {
  const [gone, stays] = [newId(), newId()];
  const put = (accountId: string, count: number) =>
    database.query(`INSERT INTO books (account_id) SELECT $1 FROM generate_series(1, $2)`, [accountId, count]);
  const left = async (accountId: string) =>
    (await database.query(`SELECT 1 FROM books WHERE account_id = $1`, [accountId])).length;
  await put(gone, 9);
  await put(stays, 3);

  const killed = new ForgetBooks(database, 3);
  await database.transaction((tx) => killed.announce(tx, gone));
  // A second delivery of the event.
  await database.transaction((tx) => killed.announce(tx, gone));
  await until('it is killed in its third step', () => killed.steps >= 3);
  await killed.onApplicationShutdown();
  expect(await left(gone)).toBeLessThanOrEqual(5);
  expect(await left(gone)).toBeGreaterThan(0);

  const next = new ForgetBooks(database);
  next.onApplicationBootstrap();
  await until('nothing is left', async () => (await left(gone)) === 0);
  await until('that is written down', async () => {
    const [row] = await database.query<{ removed_at: Date | null }>(`SELECT removed_at FROM deleted_accounts`);
    return row?.removed_at;
  });
  await next.onApplicationShutdown();

  await put(gone, 2);
  const later = new ForgetBooks(database);
  later.onApplicationBootstrap();
  await until('what came late is gone', async () => (await left(gone)) === 0);
  await later.onApplicationShutdown();
  expect(await left(stays)).toBe(3);
});

it('removes an account also behind one that cannot be removed', async () => {
  const [broken, gone] = [newId(), newId()];
  await database.query(`INSERT INTO books (account_id) VALUES ($1), ($2)`, [broken, gone]);
  await database.query(
    `INSERT INTO deleted_accounts (account_id, deleted_at) VALUES ($1, now() - interval '2 hours'), ($2, now() - interval '1 hour')`,
    [broken, gone],
  );
  await database.query(`CREATE TABLE holds (book_id int REFERENCES books)`);
  await database.query(`INSERT INTO holds SELECT id FROM books WHERE account_id = $1`, [broken]);
  const removal = new ForgetBooks(database);
  removal.onApplicationBootstrap();
  await until('the other is removed', async () => {
    const books = await database.query<{ account_id: string }>(`SELECT account_id FROM books`);
    return !books.some(({ account_id }) => account_id === gone);
  });
  await removal.onApplicationShutdown();
  await expect(database.query(`SELECT 1 FROM books WHERE account_id = $1`, [broken])).resolves.toHaveLength(1);
});
