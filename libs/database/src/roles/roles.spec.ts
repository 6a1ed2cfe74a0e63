import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshDatabase, type FreshDatabase } from '#lib/testing';
import { provisionRoles } from './provision-roles.js';

const schemas = ['gateway', 'lifecycle', 'messaging', 'runtime', 'scheduler', 'webhooks', 'channels'];
const pairs = schemas.flatMap((one) => schemas.filter((other) => other !== one).map((other) => [one, other] as const));

async function run(url: string, ...statements: string[]): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    let rows: Record<string, unknown>[] = [];
    for (const statement of statements) ({ rows } = await client.query<Record<string, unknown>>(statement));
    return rows;
  } finally {
    await client.end();
  }
}

describe("a service's role", () => {
  let database: FreshDatabase;
  let urls: Record<string, string>;
  const provision = async (url = database.url) => {
    const made = await provisionRoles(url, schemas);
    if (!made.urls) throw new Error(made.reason);
    return made.urls;
  };
  const urlOf = (schema: string) => urls[schema] ?? '';

  beforeAll(async () => {
    database = await freshDatabase();
    // As a version before left it: everything belongs to one role.
    await run(
      database.url,
      'CREATE SCHEMA gateway',
      'CREATE TABLE gateway.old (id bigint GENERATED ALWAYS AS IDENTITY, n serial, kind text)',
      'CREATE TABLE gateway.parts (id int) PARTITION BY RANGE (id)',
      'CREATE TABLE gateway.part PARTITION OF gateway.parts FOR VALUES FROM (0) TO (9)',
      'CREATE SEQUENCE gateway.alone',
      'CREATE VIEW gateway.seen AS SELECT id FROM gateway.old',
      "CREATE TYPE gateway.mood AS ENUM ('good')",
      'CREATE FUNCTION gateway.one() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$',
      "INSERT INTO gateway.old (kind) VALUES ('kept')",
    );
    urls = await provision();
    for (const schema of schemas) await run(urlOf(schema), `CREATE TABLE ${schema}.mine (id int)`);
  });
  afterAll(() => database?.drop());

  it('owns what a version before made, and may change and drop it', async () => {
    expect(await run(urlOf('gateway'), 'SELECT kind FROM gateway.old')).toEqual([{ kind: 'kept' }]);
    await run(
      urlOf('gateway'),
      "INSERT INTO gateway.old (kind) VALUES ('new')",
      'ALTER TABLE gateway.old ADD COLUMN more text',
      'DROP VIEW gateway.seen',
      "ALTER TYPE gateway.mood ADD VALUE 'bad'",
      'DROP FUNCTION gateway.one()',
      'DROP SEQUENCE gateway.alone',
      'DROP TABLE gateway.parts',
    );
  });

  it.each(pairs)("of %s is refused what is %s's", async (one, other) => {
    for (const statement of [
      `SELECT * FROM ${other}.mine`,
      `INSERT INTO ${other}.mine VALUES (1)`,
      `CREATE TABLE ${other}.theirs (id int)`,
      `SET ROLE "${new URL(urlOf(other)).username}"`,
    ])
      await expect(run(urlOf(one), statement), statement).rejects.toThrow(/permission denied/);
  });

  it('makes no schema, role or database, and reads no file', async () => {
    for (const statement of [
      'CREATE SCHEMA more',
      'CREATE ROLE more',
      'CREATE DATABASE more',
      "COPY gateway.mine FROM '/etc/passwd'",
    ])
      await expect(run(urlOf('gateway'), statement), statement).rejects.toThrow(/permission denied/);
  });

  it('is the same at the next start, also when several start at once', async () => {
    expect(await Promise.all([provision(), provision()])).toEqual([urls, urls]);
    // The version before goes on beside this one.
    await run(database.url, 'INSERT INTO messaging.mine VALUES (1)');
  });
});

describe('a connection string of your own', () => {
  let database: FreshDatabase;
  const admin = `admin_${randomUUID().slice(0, 8)}`;
  const as = (name: string) => Object.assign(new URL(database.url), { username: name, password: 'a-b' }).href;
  beforeAll(async () => {
    database = await freshDatabase();
    await run(
      database.url,
      `CREATE ROLE ${admin} LOGIN CREATEROLE PASSWORD 'a-b'`,
      `CREATE ROLE ${admin}_plain LOGIN PASSWORD 'a-b'`,
      `GRANT CREATE ON DATABASE ${new URL(database.url).pathname.slice(1)} TO ${admin}`,
    );
    await run(as(admin), 'CREATE SCHEMA messaging', 'CREATE TABLE messaging.old (id int)');
  });
  afterAll(async () => {
    await run(database.url, `DROP OWNED BY ${admin}, ${admin}_plain CASCADE`);
    await database?.drop();
  });

  it('of a role that is no superuser and may create roles is enough', async () => {
    const made = await provisionRoles(as(admin), schemas);
    expect(made.urls).toBeDefined();
    await run(made.urls?.['messaging'] ?? '', 'ALTER TABLE messaging.old ADD COLUMN more text');
    await expect(run(made.urls?.['gateway'] ?? '', 'SELECT * FROM messaging.old')).rejects.toThrow(/permission denied/);
    await run(as(admin), 'INSERT INTO messaging.old VALUES (1)');
  });

  it('of a role that may not create roles is used as it is, with the reason', async () => {
    expect(await provisionRoles(as(`${admin}_plain`), schemas)).toEqual({
      urls: undefined,
      reason: expect.stringMatching(/permission denied/),
    });
  });
});
