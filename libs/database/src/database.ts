import { NO_TRACES, type Tracer } from '#lib/tracing';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { CONNECT_TIMEOUT_MS, KEEP_ALIVE, SERVER_KEEP_ALIVE } from './connection.js';
import { asUnavailable, isDatabaseAway, isUnanswered } from './database-away.js';
import { migrate, type MigrationOptions } from './migrate.js';
import { StatementSpans } from './statement-spans.js';
import { type Query, type Row, statementsOn } from './statements.js';
import { Transaction } from './transaction.js';

export interface DatabaseOptions extends MigrationOptions {
  poolSize: number;
  /** How long a statement may go without an answer before the database is away, and its connection lost. */
  maxStatementMs?: number;
  tracer?: Tracer;
}

export interface TransactionOptions {
  /**
   * Its statements go over rows of all accounts, as many as there are. One whose request a server that vanishes did not
   * receive is given up by the system alone, after some 15 minutes.
   */
  mayTakeLong?: boolean;
}

// Named, as all statements are: pg corks only those.
const BEGIN = { name: 'begin', text: 'BEGIN' };
const COMMIT = { name: 'commit', text: 'COMMIT' };
/**
 * Plans are kept, and may be from when a table was empty: whatever has an index is read by it. And they are made for the
 * average agent, which has ten messages: to read those and sort them looks as good as to follow the index that has them in
 * order, and of the one that has half a million all are read for a page. A bitmap has no order, an index has. Without
 * the third, versions before 18 would compile a statement that has no index, since they put off such plans by their cost.
 */
const BY_INDEX = '-c enable_seqscan=off -c enable_bitmapscan=off -c jit=off';
/**
 * Well above what a statement takes that goes over the rows of one agent, endpoint or batch, and what its locks are waited
 * for: one that takes longer is given up, and tried again in vain.
 */
const MAX_STATEMENT_MS = 120_000;
const MAX_LONG_STATEMENT_MS = 24 * 3_600_000;
const OPEN_TIMEOUT_MS = 30_000;
const OPEN_RETRY_MS = 250;
/** So that what asks a service about its database within two seconds gets an answer. */
const UP_WITHIN_MS = 1_500;
/** pg closes the connection on which the time is over. */
const IS_UP = { name: 'is_up', text: 'SELECT 1', query_timeout: UP_WITHIN_MS };
/** Of a transaction that meets others: each costs the second after which PostgreSQL looks for deadlocks. */
const MAX_ATTEMPTS = 4;
/** The one that goes on has to be woken first: one that begins again at once takes the row before it, and both wait anew. */
const PAUSE_MS = 50;
/** deadlock_detected, serialization_failure */
const FOR_ANOTHERS_SAKE = ['40P01', '40001'];

/** A service's own schema in Postgres. While the server is away everything here fails with SERVICE_UNAVAILABLE. */
export class Database {
  private runRelay: () => void = () => undefined;

  private constructor(
    private readonly pool: pg.Pool,
    readonly schema: string,
    /** Of statements that its own methods do not make spans of. */
    readonly spans: StatementSpans,
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
    await migrate(options);
    const pool = new pg.Pool({
      connectionString: options.url,
      max: options.poolSize,
      application_name: `roost-${options.schema}`,
      options: `-c search_path=${options.schema} -c synchronous_commit=on ${SERVER_KEEP_ALIVE} ${BY_INDEX}`,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      query_timeout: options.maxStatementMs ?? MAX_STATEMENT_MS,
      ...KEEP_ALIVE,
      pipeline: true,
    });
    // A connection that Postgres dropped is replaced by the next use; without listeners it would end the process.
    pool.on('error', () => undefined);
    pool.on('connect', (client) => client.on('error', () => undefined));
    return new Database(pool, options.schema, new StatementSpans(options.tracer ?? NO_TRACES, options.schema));
  }

  /** Runs SQL outside a transaction and gives the rows. */
  query<T extends object = Row>(sql: string, parameters: unknown[] = []): Promise<T[]> {
    const run = () => this.session((query) => query<T>(sql, parameters));
    return this.spans.isOn ? this.spans.statement(sql, run) : run();
  }

  /**
   * Runs `work` on one connection, each statement a transaction of its own: for locks that outlast a statement. A lock
   * goes with its connection, so a statement that succeeds there shows that the lock was held until then.
   */
  session<T>(work: (query: Query) => Promise<T>): Promise<T> {
    return this.withConnection((connection) => work(statementsOn(connection)));
  }

  /**
   * Runs `work` in one transaction. What it resolves to is given back only after the commit is on disk. Runs it again
   * where PostgreSQL ended it for another's sake (a deadlock): two that lock the same rows in another order may meet.
   * Throws what `work` throws, after rollback.
   */
  async transaction<T>(work: (tx: Transaction) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await (this.spans.isOn
          ? this.spans.transaction((noted) => this.run(work, options, noted))
          : this.run(work, options));
      } catch (error) {
        const { code } = error as { code?: string };
        if (attempt === MAX_ATTEMPTS || !FOR_ANOTHERS_SAKE.includes(code ?? '')) throw error;
        await sleep(PAUSE_MS * 2 ** (attempt - 1) * (1 + Math.random()));
      }
    }
  }

  private async run<T>(
    work: (tx: Transaction) => Promise<T>,
    { mayTakeLong }: TransactionOptions,
    noted: (query: Query) => Query = (query) => query,
  ): Promise<T> {
    const { tx, result } = await this.withConnection(async (connection) => {
      // Goes out together with the first statement: waiting for its answer would be a round trip for nothing.
      const begun = connection.query(BEGIN);
      begun.catch(() => undefined);
      const statements = statementsOn(connection, mayTakeLong ? MAX_LONG_STATEMENT_MS : undefined);
      const tx = new Transaction(noted(statements), () => connection.query(COMMIT));
      try {
        const result = await work(tx);
        await begun;
        await tx.commit();
        return { tx, result };
      } catch (error) {
        // The rollback of a broken connection fails too; the first error is the one that explains.
        await connection.query('ROLLBACK').catch(() => undefined);
        throw error;
      }
    });
    tx.committed(this.runRelay);
    return result;
  }

  private async withConnection<T>(work: (connection: pg.PoolClient) => Promise<T>): Promise<T> {
    try {
      const connection = await this.pool.connect();
      let isLost = false;
      try {
        return await work(connection);
      } catch (error) {
        // pg ends it a moment after it says so: until then the pool would give it to whoever waits.
        isLost = isUnanswered(error);
        throw error;
      } finally {
        connection.release(isLost);
      }
    } catch (error) {
      throw asUnavailable(error);
    }
  }

  /**
   * Whether PostgreSQL answers on a connection of the pool, within 1.5 s. A connection on which it does not is closed:
   * who asks again and again, as a probe does, would have all of the pool wait.
   */
  isUp(): Promise<boolean> {
    const ask = async () => {
      const connection = await this.pool.connect();
      const answers = await connection.query(IS_UP).then(
        () => true,
        () => false,
      );
      connection.release(!answers);
      return answers;
    };
    // The statement has its own bound; here it may be a connection that is waited for.
    return Promise.race([ask().catch(() => false), sleep(UP_WITHIN_MS, false, { ref: false })]);
  }

  /** Called when a commit put events in the outbox: wakes the relay of this process. */
  onOutbox(runRelay: () => void): void {
    this.runRelay = runRelay;
  }

  async close(): Promise<void> {
    await this.pool.end();
  }
}
