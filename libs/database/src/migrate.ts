import pg from 'pg';
import type { MigrationInterface } from 'typeorm';
import { CONNECT_TIMEOUT_MS, KEEP_ALIVE, SERVER_KEEP_ALIVE } from './connection.js';

export interface MigrationOptions {
  url: string;
  /** The Postgres schema this service owns. */
  schema: string;
  /** Oldest first; each class name ends in a millisecond timestamp, as TypeORM wants it. */
  migrations: (new () => MigrationInterface)[];
}

/**
 * Makes a service's schema if it is not there and brings it up to date. Replicas start together: one migrates, the
 * others wait for it and find nothing left to do. TypeORM is loaded where there is something to do, which is rare, and takes
 * a fifth of a service's start and 20 MB.
 */
export async function migrate(options: MigrationOptions): Promise<void> {
  if (await isUpToDate(options)) return;
  const { url, schema, migrations } = options;
  const { DataSource } = await import('typeorm');
  const source = new DataSource({
    type: 'postgres',
    url,
    schema,
    migrations,
    migrationsTransactionMode: 'each',
    // One holds the lock, the other migrates.
    poolSize: 2,
    applicationName: `roost-${schema}`,
    extra: {
      options: `-c search_path=${schema} ${SERVER_KEEP_ALIVE}`,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      ...KEEP_ALIVE,
    },
    poolErrorHandler: () => undefined,
  });
  await source.initialize();
  try {
    const runner = source.createQueryRunner();
    const lock = `hashtextextended('roost-migrate-' || $1, 0)`;
    try {
      await runner.query(`SELECT pg_advisory_lock(${lock})`, [schema]);
      // Looked for first: a service's own role may make no schema, not even one that is there.
      const [found] = (await runner.query(`SELECT to_regnamespace(quote_ident($1)) IS NOT NULL AS is`, [schema])) as {
        is: boolean;
      }[];
      if (!found?.is) await runner.query(`CREATE SCHEMA "${schema}"`);
      await source.runMigrations();
    } finally {
      // A broken connection has lost the lock already, and this error would hide the first.
      await runner.query(`SELECT pg_advisory_unlock(${lock})`, [schema]).catch(() => undefined);
      await runner.release();
    }
  } finally {
    await source.destroy();
  }
}

async function isUpToDate({ url, schema, migrations }: MigrationOptions): Promise<boolean> {
  const client = new pg.Client({
    connectionString: url,
    application_name: `roost-${schema}`,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: CONNECT_TIMEOUT_MS,
    ...KEEP_ALIVE,
  });
  client.on('error', () => undefined); // the query's own error says it
  try {
    await client.connect();
    const table = `${pg.escapeIdentifier(schema)}.migrations`;
    const { rows: tables } = await client.query<{ is: boolean }>(`SELECT to_regclass($1) IS NOT NULL AS is`, [table]);
    if (!tables[0]?.is) return false;
    const { rows: done } = await client.query<{ name: string }>(`SELECT name FROM ${table}`);
    const names = new Set(done.map(({ name }) => name));
    return migrations.every((migration) => names.has(migration.name));
  } finally {
    await client.end().catch(() => undefined);
  }
}
