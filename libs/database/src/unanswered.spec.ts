import { type FreshDatabase, freshDatabase, TcpLink } from '#lib/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Database, type DatabaseOptions } from './database.js';

describe('a server that vanished without a word', () => {
  let server: FreshDatabase;
  let link: TcpLink;
  const opened: Database[] = [];
  const away = { code: 'SERVICE_UNAVAILABLE', details: [{ reason: 'database_away' }] };

  beforeEach(async () => {
    server = await freshDatabase();
    link = await TcpLink.open(Number(new URL(server.url).port));
  });
  afterEach(async () => {
    await link.close();
    await Promise.all(opened.splice(0).map((database) => database.close()));
    await server.drop();
  });

  async function open(options: Partial<DatabaseOptions>): Promise<Database> {
    const url = link.through(server.url);
    const database = await Database.open({ url, schema: 'shelf', migrations: [], poolSize: 1, ...options });
    opened.push(database);
    return database;
  }

  it('is away for the statement that gets no answer, and the next has a connection of its own', async () => {
    const database = await open({ maxStatementMs: 300 });
    await database.query(`CREATE TABLE books (id int)`);
    link.loseServer();
    const unanswered = database.query(`INSERT INTO books VALUES (1)`);
    const waiting = database.query(`SELECT id FROM books`);
    await expect(unanswered).rejects.toMatchObject(away);
    await expect(waiting).resolves.toEqual([]);
  });

  it('is away for the transaction in which it vanished, which can be run again', async () => {
    const database = await open({ maxStatementMs: 300 });
    await database.query(`CREATE TABLE books (id int)`);
    const add = (meanwhile: () => void) =>
      database.transaction(async (tx) => {
        await tx.query(`INSERT INTO books VALUES (1)`);
        meanwhile();
      });
    await expect(add(() => link.loseServer())).rejects.toMatchObject(away);
    await add(() => undefined);
    expect(await database.query(`SELECT id FROM books`)).toEqual([{ id: 1 }]);
  });

  it('is not, for what may take as long as it takes', async () => {
    const database = await open({ maxStatementMs: 300 });
    await expect(database.query(`SELECT pg_sleep(1)`)).rejects.toMatchObject(away);
    const slept = database.transaction((tx) => tx.query(`SELECT 1 AS one FROM pg_sleep(1)`), { mayTakeLong: true });
    await expect(slept).resolves.toEqual([{ one: 1 }]);
  });

  it('notices itself that the service is gone, whose locks would hold up the others', async () => {
    const database = await open({});
    const [settings] = await database.query<{ idle: string; user: string }>(
      `SELECT current_setting('tcp_keepalives_idle') AS idle, current_setting('tcp_user_timeout') AS user`,
    );
    expect(settings).toEqual({ idle: '10', user: '30000' });
  });
});
