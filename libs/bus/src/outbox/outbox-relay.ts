import { EVENTS_STREAM } from '#lib/contracts';
import { type Database, NEVER_PUBLISHED, NEWEST_PUBLISHED, type Query, type Transaction } from '#lib/database';
import type { Logger } from '#lib/observability';
import { NO_TRACES, type Span, type Tracer } from '#lib/tracing';
import { jetstream } from '@nats-io/jetstream';
import { errors, headers, type NatsConnection } from '@nats-io/transport-node';
import { declareEventsStream } from './events-stream.js';
import { passConsumers } from './rolled-back-stream.js';

interface OutboxRow {
  id: string;
  event_id: string;
  subject: string;
  payload: unknown;
  headers: Record<string, string>;
}

const BATCH = 200;
const SWEEP_MS = 1_000;
const PUBLISH_TIMEOUT_MS = 5_000;
/** How long a relay that has caught up keeps the lock: a turn's events come within this time of each other. */
const LINGER_MS = 40;
/** After this time another replica may have the lock, however much there is to do. */
const MAX_HOLD_MS = 5_000;

/**
 * What a server may lose of the newest events when the machine under it loses its power, from the newest back: before
 * 2.10, which can flush each, it flushes every two minutes.
 */
const UNFLUSHED = `newest.published_at - interval '5 minutes'`;

const LOCK = `hashtextextended('roost-relay-' || current_schema(), 0)`;

/**
 * Publishes the outbox of one schema to JetStream, in the order of the rows.
 *
 * Promised: every committed event is published at least once, also when this process or NATS dies at any moment;
 * events of one key in order. The rows' own state shows what is left to do: a run right after commit only makes it quick,
 * a sweep finds what a crash left. One replica at a time publishes, under a lock per schema, since two at once would break order;
 * who holds it publishes everybody's events. That events were published is written down with the next look for more:
 * a crash in between publishes them again. Not promised: an event that the client itself refuses, which no try could
 * publish, is reported and left out, for it would hold up those of every account.
 */
export class OutboxRelay {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private again = false;
  private wake: () => void = () => undefined;
  private stopped = false;
  private streamChecked = false;

  constructor(
    private readonly database: Database,
    private readonly connection: NatsConnection,
    private readonly logger: Logger,
    private readonly tracer: Tracer = NO_TRACES,
  ) {}

  start(): void {
    this.database.onOutbox(() => this.runSoon());
    this.timer = setInterval(() => this.runSoon(), SWEEP_MS);
    this.timer.unref();
    void this.watchReconnects();
    this.runSoon();
  }

  /** A lost server may come back without its store: look at the stream again. */
  private async watchReconnects(): Promise<void> {
    for await (const status of this.connection.status()) {
      if (status.type === 'reconnect') this.streamChecked = false;
    }
  }

  /** Runs soon, or once more if it runs already. Never throws. */
  runSoon(): void {
    if (this.stopped) return;
    if (this.running) {
      this.again = true;
      this.wake();
      return;
    }
    this.again = false;
    this.running = this.drain()
      .catch((error: unknown) => {
        this.streamChecked = false;
        if (!this.stopped) this.logger.warn({ err: error }, 'events could not be published; trying again');
      })
      .finally(() => {
        this.running = undefined;
        if (this.again) this.runSoon();
      });
  }

  private async drain(): Promise<void> {
    if (!this.streamChecked) {
      await this.refillStream();
      this.streamChecked = true;
    }
    // Most sweeps find nothing: look before taking the lock.
    const [waiting] = await this.database.query(`SELECT 1 AS one FROM outbox WHERE published_at IS NULL LIMIT 1`);
    if (!waiting) return;
    const hadLock = await this.database.session(async (query) => {
      const [lock] = await query<{ is_mine: boolean }>(`SELECT pg_try_advisory_lock(${LOCK}) AS is_mine`);
      if (!lock?.is_mine) return false;
      try {
        await this.publishAll(query);
      } finally {
        // Without a connection there is no lock either.
        await query(`SELECT pg_advisory_unlock(${LOCK})`).catch(() => undefined);
      }
      return true;
    });
    if (hadLock) return;
    // Who has the lock publishes our events too, unless it was just about to give it up: look again.
    await this.askedAgainWithin(LINGER_MS);
    this.again = true;
  }

  /** Until nothing is left and nothing more comes for a moment. */
  private async publishAll(query: Query): Promise<void> {
    const end = Date.now() + MAX_HOLD_MS;
    let published: string[] = [];
    for (;;) {
      this.again = false;
      const rows = await this.next(query, published);
      if (rows.length === 0) return;
      await this.publish(rows);
      // Another server may have taken them. What it lost is published again first, back from the newest that is marked.
      if (!this.streamChecked) return this.runSoon();
      published = rows.map((row) => row.id);
      if (Date.now() > end) break;
      if (rows.length < BATCH) await this.askedAgainWithin(LINGER_MS);
    }
    await query(`UPDATE outbox SET published_at = now() WHERE id = ANY($1::bigint[])`, [published]);
    this.again = true;
  }

  /** Writes down what was published and gives what is to be published next: one statement, since it runs per event. */
  private next(query: Query, published: string[]): Promise<OutboxRow[]> {
    return query<OutboxRow>(
      `WITH done AS (UPDATE outbox SET published_at = now() WHERE id = ANY($1::bigint[]))
       SELECT id, event_id, subject, payload, headers FROM outbox
       WHERE published_at IS NULL AND id <> ALL($1::bigint[]) ORDER BY id LIMIT ${BATCH}`,
      [published],
    );
  }

  private async publish(rows: OutboxRow[]): Promise<void> {
    const js = jetstream(this.connection, { timeout: PUBLISH_TIMEOUT_MS });
    const publish = async (row: OutboxRow) => {
      const hdrs = headers();
      for (const [name, value] of Object.entries(row.headers)) hdrs.set(name, value);
      // No Nats-Msg-Id: the server's dedupe window would swallow the refill of a stream that was emptied. Inboxes dedupe.
      hdrs.set('roost-event-id', row.event_id);
      const span = this.startSpan(row);
      if (span) hdrs.set('traceparent', span.traceparent);
      const published = js.publish(row.subject, JSON.stringify(row.payload), { headers: hdrs });
      await (span ? settle(span, published) : published);
    };
    await Promise.all(rows.map((row) => publish(row).catch((error: unknown) => this.leaveOut(row, error))));
  }

  /** Errors: all but those of the client that no other try would end differently. */
  private leaveOut({ event_id: eventId, subject }: OutboxRow, error: unknown): void {
    if (!(error instanceof errors.InvalidArgumentError)) throw error;
    this.logger.error({ err: error, eventId, subject }, 'an event cannot be published and is left out');
  }

  private startSpan({ headers: { traceparent }, subject, event_id }: OutboxRow): Span | undefined {
    if (!traceparent) return undefined;
    return this.tracer.start(subject, {
      kind: 'producer',
      parent: traceparent,
      attributes: {
        'messaging.system': 'nats',
        'messaging.operation.name': 'publish',
        'messaging.destination.name': subject,
        'messaging.message.id': event_id,
      },
    });
  }

  /** Waits until it is asked to run again, unless it was since `again` was reset, at most so long. */
  private async askedAgainWithin(ms: number): Promise<void> {
    if (this.again || this.stopped) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.wake = () => undefined;
  }

  /** Publishes again what a lost stream held, or a stopped server may have lost; inboxes make the repeats harmless. */
  private async refillStream(): Promise<void> {
    const { created } = await declareEventsStream(this.connection);
    const { server_id: start = '', version = '' } = this.connection.info ?? {};
    const state = `${created} ${start}`;
    await this.database.transaction(
      async (tx) => {
        await this.lock(tx);
        const [row] = await tx.query<{ stream_state: string }>(
          `SELECT stream_created AS stream_state FROM relay_state WHERE stream = $1`,
          [EVENTS_STREAM],
        );
        if (row?.stream_state === state) return;
        const isNew = row !== undefined && row.stream_state.split(' ')[0] !== created;
        if (isNew) await this.publishAgain(tx, `'${NEVER_PUBLISHED}'`);
        else if (row && !flushesEach(version)) {
          await passConsumers(this.connection);
          await this.publishAgain(tx, UNFLUSHED);
        }
        await tx.query(
          `INSERT INTO relay_state (stream, stream_created) VALUES ($1, $2) ON CONFLICT (stream) DO UPDATE SET stream_created = $2`,
          [EVENTS_STREAM, state],
        );
      },
      { mayTakeLong: true },
    );
  }

  /** What was published after this point of time, an expression, of the last day in which anything was. */
  private async publishAgain(tx: Transaction, since: string): Promise<void> {
    await tx.query(
      `UPDATE outbox SET published_at = NULL FROM (${NEWEST_PUBLISHED}) AS newest
       WHERE outbox.created_at > newest.created_at - interval '24 hours' AND outbox.published_at > ${since}`,
    );
  }

  private async lock(tx: Transaction): Promise<void> {
    await tx.query(`SELECT pg_advisory_xact_lock(${LOCK})`);
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.running;
    this.stopped = true;
    await this.running;
  }
}

/** Whether a server of this version keeps what it has acknowledged over the loss of power, as it is set up (`sync_interval`). */
function flushesEach(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 2 || (major === 2 && minor >= 10);
}

async function settle<T>(span: Span, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    span.fail(error);
    throw error;
  } finally {
    span.end();
  }
}
