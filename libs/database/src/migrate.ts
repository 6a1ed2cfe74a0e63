import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { DataSource, MigrationInterface, QueryRunner } from 'typeorm';
import { CONNECT_TIMEOUT_MS, KEEP_ALIVE, SERVER_KEEP_ALIVE } from './connection.js';

export interface MigrationOptions {
  url: string;
  /** The Postgres schema this service owns. */
  schema: string;
  /** Oldest first; each class name ends in a millisecond timestamp, as TypeORM wants it. */
  migrations: (new () => MigrationInterface)[];
  /** Is told what a migration waits for. */
  logger?: { warn(details: object, message: string): void };
}

/**
 * Behind a migration that waits for a table all others of that table wait: for so long at most, and after a pause in which
 * they go on it is tried again. Longer than the second after which PostgreSQL ends an autovacuum that is in the way.
 */
const LOCK_TIMEOUT_MS = 2_000;
const LOCK_PAUSE_MS = 4_000;
/** Less than the three minutes after which Kubernetes ends what has not started: the reason is to be in its log. */
const MAX_LOCK_WAIT_MS = 120_000;
const LOCK_NOT_AVAILABLE = '55P03';

/**
 * Makes a service's schema if it is not there and brings it up to date. Replicas start together: one migrates, the
 * others wait for it and find nothing left to do. The version before is at work meanwhile, and waits no longer than
 * LOCK_TIMEOUT_MS at a time for what a migration itself waits for. A migration that fails leaves nothing. Errors: its own; one
 * that says who holds a lock, after two minutes. TypeORM is loaded where there is something to do, which is rare, and takes a
 * fifth of a service's start and 20 MB.
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
      options: `-c search_path=${schema} -c lock_timeout=${LOCK_TIMEOUT_MS} ${SERVER_KEEP_ALIVE}`,
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
      // As long as another replica migrates.
      await runner.query(`SET lock_timeout = 0`);
      await runner.query(`SELECT pg_advisory_lock(${lock})`, [schema]);
      // Looked for first: a service's own role may make no schema, not even one that is there.
      const [found] = (await runner.query(`SELECT to_regnamespace(quote_ident($1)) IS NOT NULL AS is`, [schema])) as {
        is: boolean;
      }[];
      if (!found?.is) await runner.query(`CREATE SCHEMA "${schema}"`);
      await runMigrations(source, runner, options);
    } finally {
      // A broken connection has lost the lock already, and this error would hide the first.
      await runner.query(`SELECT pg_advisory_unlock(${lock})`, [schema]).catch(() => undefined);
      await runner.release();
    }
  } finally {
    await source.destroy();
  }
}

async function runMigrations(source: DataSource, runner: QueryRunner, { schema, logger }: MigrationOptions) {
  for (const deadline = performance.now() + MAX_LOCK_WAIT_MS; ;) {
    try {
      await source.runMigrations();
      return;
    } catch (error) {
      const { code, query: statement } = error as { code?: string; query?: string };
      if (code !== LOCK_NOT_AVAILABLE) throw error;
      const holders = await holdersIn(runner, schema);
      if (performance.now() > deadline) throw heldTooLong(schema, statement, holders, error);
      logger?.warn({ schema, statement, holders }, 'a migration waits for a lock that others hold; it is tried again');
    }
    await sleep(LOCK_PAUSE_MS);
  }
}

/** Who has held a lock in the schema for longer than it was waited for; of other roles' transactions the age is not shown. */
async function holdersIn(runner: QueryRunner, schema: string): Promise<string[]> {
  const rows = (await runner.query(
    `SELECT format('%s by process %s (%s)', string_agg(DISTINCT c.relname, ', '), a.pid, a.application_name) AS holder
     FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_stat_activity a USING (pid)
     WHERE l.granted AND c.relkind IN ('r', 'p') AND c.relnamespace = to_regnamespace(quote_ident($1))
       AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
       AND coalesce(a.xact_start < clock_timestamp() - $2::int * interval '1 ms', true)
     GROUP BY a.pid, a.application_name`,
    [schema, LOCK_TIMEOUT_MS],
  )) as { holder: string }[];
  return rows.map(({ holder }) => holder);
}

function heldTooLong(schema: string, statement: string | undefined, holders: string[], cause: unknown): Error {
  return new Error(
    `the schema ${schema} cannot be brought up to date: after ${MAX_LOCK_WAIT_MS / 60_000} min others still hold what ` +
      `"${statement}" needs: ${holders.join('; ') || 'who, cannot be seen now'}. Start again once they have ended ` +
      `(a pg_dump, for one), or end them with SELECT pg_terminate_backend(<process>).`,
    { cause },
  );
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
