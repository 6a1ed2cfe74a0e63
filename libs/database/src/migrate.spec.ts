import { type FreshDatabase, freshDatabase, until } from '#lib/testing';
import pg from 'pg';
import type { QueryRunner } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { migrate } from './migrate.js';

class Books1700000000001 {
  name = 'Books1700000000001';
  up = (runner: QueryRunner) => runner.query(`CREATE TABLE books (id int); CREATE TABLE shelves (id int)`);
  down = () => Promise.resolve();
}

/** Two tables: what it did to the first must be undone while it waits for the second. */
class Titles1700000000002 {
  name = 'Titles1700000000002';
  async up(runner: QueryRunner) {
    await runner.query(`ALTER TABLE shelves ADD COLUMN title text`);
    await runner.query(`ALTER TABLE books ADD COLUMN title text`);
  }
  down = () => Promise.resolve();
}

describe('a migration of a table that somebody reads for long', () => {
  let server: FreshDatabase;
  const connections: pg.Client[] = [];

  beforeAll(async () => {
    server = await freshDatabase();
  });
  afterAll(async () => {
    await Promise.all(connections.map((connection) => connection.end()));
    await server.drop();
  });

  async function connect(name: string): Promise<pg.Client> {
    const options = '-c search_path=library -c statement_timeout=20s';
    const connection = new pg.Client({ connectionString: server.url, application_name: name, options });
    await connection.connect();
    connections.push(connection);
    return connection;
  }

  it('holds up nobody else for longer than a moment, and is made once the reader has ended', async () => {
    const library = { url: server.url, schema: 'library' };
    await migrate({ ...library, migrations: [Books1700000000001] });
    const [reader, service] = [await connect('pg_dump'), await connect('service')];
    await reader.query(`BEGIN`);
    await reader.query(`LOCK TABLE books IN ACCESS SHARE MODE`);

    const logged: object[] = [];
    const migrations = [Books1700000000001, Titles1700000000002];
    const logger = { warn: (details: object) => void logged.push(details) };
    // Two replicas: one waits for the other for longer than a table is waited for.
    const migrated = Promise.all([1, 2].map(() => migrate({ ...library, migrations, logger })));
    await until('it waits for the table', async () => {
      const { rows } = await service.query(`SELECT FROM pg_locks WHERE relation = 'books'::regclass AND NOT granted`);
      return rows.length > 0;
    });
    await expect(service.query(`SELECT id FROM books`)).resolves.toMatchObject({ rows: [] });
    await until('it is said what it waits for', () => logged.length > 0);
    expect(logged[0]).toMatchObject({
      statement: 'ALTER TABLE books ADD COLUMN title text',
      holders: [expect.stringMatching(/^books by process \d+ \(pg_dump\)$/)],
    });
    await expect(service.query(`SELECT title FROM shelves`)).rejects.toMatchObject({ code: '42703' });

    await reader.query(`COMMIT`);
    await migrated;
    await expect(service.query(`SELECT books.title, shelves.title FROM books, shelves`)).resolves.toMatchObject({
      rows: [],
    });
  });
});
