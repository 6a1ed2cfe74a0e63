import { DataSource, type EntityTarget, type MigrationInterface, type ObjectLiteral } from 'typeorm';
import { setTimeout as sleep } from 'node:timers/promises';
import { asUnavailable, isDatabaseAway } from './database-away.js';
import { type Row, Transaction } from './transaction.js';

export interface DatabaseOptions {
  url: string;
  /** The Postgres schema this service owns. */
  schema: string;
  entities?: EntityTarget<ObjectLiteral>[];
  /** Oldest first; each class name ends in a millisecond timestamp, as TypeORM wants it. */
  migrations: (new () => MigrationInterface)[];
  poolSize: number;
}

const OPEN_TIMEOUT_MS = 30_000;
const OPEN_RETRY_MS = 250;

/** A service's own schema in Postgres. While the server is away everything here fails with SERVICE_UNAVAILABLE. */
export class Database {
  private relayKick: () => void = () => undefined;

  private constructor(
    readonly source: DataSource,
    readonly schema: string,
  ) {}

  /**
   * Connects, makes the schema if it is not there and brings it up to date. A server that is not there yet, or that
   * still recovers, is waited for: services and servers start together. Errors: SERVICE_UNAVAILABLE after 30 s.
   */
  static async open(options: DatabaseOptions): Promise<Database> {
    for (const deadline = Date.now() + OPEN_TIMEOUT_MS; ;) {
      try {
        return await Database.connect(options);
      } catch (error) {
        if (!isDatabaseAway(error) || Date.now() > deadline) throw asUnavailable(error);
        await sleep(OPEN_RETRY_MS);
      }
    }
  }

  private static async connect(options: DatabaseOptions): Promise<Database> {
    const source = new DataSource({
      type: 'postgres',
      url: options.url,
      schema: options.schema,
      entities: (options.entities ?? []) as never[],
      migrations: options.migrations,
      migrationsTransactionMode: 'each',
      poolSize: options.poolSize,
      applicationName: `roost-${options.schema}`,
      extra: { options: `-c search_path=${options.schema} -c synchronous_commit=on`, connectionTimeoutMillis: 10_000 },
      // A pool connection that Postgres dropped is replaced by the next use; without a listener it would end the process.
      poolErrorHandler: () => undefined,
    });
    await source.initialize();
    const database = new Database(source, options.schema);
    try {
      await database.migrate();
    } catch (error) {
      await source.destroy();
      throw error;
    }
    return database;
  }

  /** Replicas start together: one migrates, the others wait for it and find nothing left to do. */
  private async migrate(): Promise<void> {
    const runner = this.source.createQueryRunner();
    const lock = `hashtextextended('roost-migrate-' || $1, 0)`;
    try {
      await runner.query(`SELECT pg_advisory_lock(${lock})`, [this.schema]);
      await runner.query(`CREATE SCHEMA IF NOT EXISTS "${this.schema}"`);
      await this.source.runMigrations();
    } finally {
      // A broken connection has lost the lock already, and this error would hide the first.
      await runner.query(`SELECT pg_advisory_unlock(${lock})`, [this.schema]).catch(() => undefined);
      await runner.release();
    }
  }

  /** Runs SQL outside a transaction and gives the rows. */
  async query<T extends object = Row>(sql: string, parameters: unknown[] = []): Promise<T[]> {
    const runner = this.source.createQueryRunner();
    try {
      const result = (await runner.query(sql, parameters, true)) as { records: T[] };
      return result.records;
    } catch (error) {
      throw asUnavailable(error);
    } finally {
      await runner.release();
    }
  }

  /**
   * Runs `work` on one connection, each statement a transaction of its own: for locks that outlast a statement. A lock
   * goes with its connection, so a statement that succeeds there shows that the lock was held until then.
   */
  async session<T>(
    work: (query: <R extends object = Row>(sql: string, parameters?: unknown[]) => Promise<R[]>) => Promise<T>,
  ): Promise<T> {
    const runner = this.source.createQueryRunner();
    try {
      return await work(async <R extends object>(sql: string, parameters: unknown[] = []) => {
        const result = (await runner.query(sql, parameters, true)) as { records: R[] };
        return result.records;
      });
    } catch (error) {
      throw asUnavailable(error);
    } finally {
      await runner.release();
    }
  }

  /**
   * Runs `work` in one transaction. What it resolves to is given back only after the commit is on disk.
   * Throws what `work` throws, after rollback.
   */
  async transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    const runner = this.source.createQueryRunner();
    const tx = new Transaction(runner);
    let result: T;
    try {
      await runner.startTransaction();
      result = await work(tx);
      await runner.commitTransaction();
    } catch (error) {
      // The rollback of a broken connection fails too; the first error is the one that tells something.
      if (runner.isTransactionActive) await runner.rollbackTransaction().catch(() => undefined);
      throw asUnavailable(error);
    } finally {
      await runner.release();
    }
    tx.committed(this.relayKick);
    return result;
  }

  /** Who is to be told when a commit put events in the outbox: the relay of this process. */
  onOutbox(kick: () => void): void {
    this.relayKick = kick;
  }

  async close(): Promise<void> {
    await this.source.destroy();
  }
}
