import { DataSource, type MigrationInterface } from 'typeorm';

export interface MigrationOptions {
  url: string;
  /** The Postgres schema this service owns. */
  schema: string;
  /** Oldest first; each class name ends in a millisecond timestamp, as TypeORM wants it. */
  migrations: (new () => MigrationInterface)[];
}

/**
 * Makes a service's schema if it is not there and brings it up to date. Replicas start together: one migrates, the
 * others wait for it and find nothing left to do.
 */
export async function migrate({ url, schema, migrations }: MigrationOptions): Promise<void> {
  const source = new DataSource({
    type: 'postgres',
    url,
    schema,
    migrations,
    migrationsTransactionMode: 'each',
    // One holds the lock, the other migrates.
    poolSize: 2,
    applicationName: `roost-${schema}`,
    extra: { options: `-c search_path=${schema}`, connectionTimeoutMillis: 10_000 },
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
