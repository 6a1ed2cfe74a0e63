import { encode, type EventContract, type RecordedEventContract } from '#lib/contracts';
import { outsideCalls } from '#lib/call-context';
import { z } from 'zod';
import { NEVER_PUBLISHED } from './event-tables.js';
import { eventHeaders } from './insert-event.js';
import { storableJson } from './storable-text.js';
import type { Query, Row } from './statements.js';

/** A running transaction. Everything done through it commits together, its events included. */
export class Transaction {
  private readonly afterCommitHooks: (() => void)[] = [];
  private hasEvents = false;
  private commitSent: Promise<unknown> | undefined;

  constructor(
    /** Runs SQL in this transaction and gives the rows, also those of RETURNING. */
    readonly query: Query,
    private readonly sendCommit: () => Promise<unknown>,
  ) {}

  /**
   * Runs the last SQL of the transaction, the commit going out with it: one round trip less while its rows are locked.
   * Nothing can follow, and what is thrown after it takes nothing back.
   */
  finish<R extends object = Row>(sql: string, parameters?: unknown[]): Promise<R[]> {
    const rows = this.query<R>(sql, parameters);
    this.commitSent = this.sendCommit();
    // Awaited by `commit()`, unless the statement itself fails: then there is nothing to commit.
    this.commitSent.catch(() => undefined);
    return rows;
  }

  /** Called by the database when the work is done: resolves when the commit is on disk. */
  async commit(): Promise<void> {
    await (this.commitSent ?? this.sendCommit());
  }

  /** Puts an event in the outbox; it is published after commit. Events with the same key keep their order. */
  async outbox<P extends z.ZodType>(event: EventContract<P>, payload: z.output<P>, key: string): Promise<void> {
    const row = outboxRow(event, payload, key);
    await this.query(`INSERT INTO outbox (subject, key, payload, headers) VALUES ($1, $2, $3, $4)`, [
      row.subject,
      row.key,
      row.payload,
      row.headers,
    ]);
    this.markEvents();
  }

  /** Writes an event for event streams alone, in order among the others; the caller sends their hint after commit. */
  async record<P extends z.ZodType>(event: RecordedEventContract<P>, payload: z.output<P>, key: string): Promise<void> {
    const row = outboxRow(event, payload, key);
    await this.query(
      `INSERT INTO outbox (subject, key, payload, headers, published_at) VALUES ($1, $2, $3, $4, '${NEVER_PUBLISHED}')`,
      [row.subject, row.key, row.payload, row.headers],
    );
  }

  /** Notes that SQL of this transaction wrote outbox rows itself, so that the relay runs after commit. */
  markEvents(): void {
    this.hasEvents = true;
  }

  /** Runs `hook` once the commit is on disk; never after a rollback. For hints only: a crash in between loses it. */
  afterCommit(hook: () => void): void {
    this.afterCommitHooks.push(hook);
  }

  /** Called by the database once the commit succeeded. */
  committed(runRelay: () => void): void {
    if (!this.hasEvents && this.afterCommitHooks.length === 0) return;
    // What they start goes on after this call, and is no part of it.
    outsideCalls(() => {
      if (this.hasEvents) runRelay();
      for (const hook of this.afterCommitHooks) hook();
    });
  }
}

/** A database or a transaction on it. */
export type Queries = Pick<Transaction, 'query'>;

/** The columns of an outbox row, for SQL that inserts it beside other rows in one statement. */
export function outboxRow<P extends z.ZodType>(
  event: EventContract<P> | RecordedEventContract<P>,
  payload: z.output<P>,
  key: string,
) {
  return {
    subject: event.subject,
    key,
    payload: storableJson(encode(event.payload, payload)),
    headers: JSON.stringify(eventHeaders(event)),
  };
}
