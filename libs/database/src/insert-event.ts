import type { EventContract, RecordedEventContract } from '#lib/contracts';
import type { z } from 'zod';
import { NEVER_PUBLISHED } from './event-tables.js';

/** SQL expressions for the columns of an event's row. */
export interface EventSql<P extends z.ZodType> {
  /** Events with the same key keep their order. */
  key: string;
  /** Each field of the payload, in the wire's form. */
  payload: Record<keyof z.input<P> & string, string>;
  /** By default only the event's version: a statement that serves one request adds that request's headers. */
  headers?: string;
  /** What follows FROM: one event for each of its rows. */
  from: string;
}

/**
 * The SQL that puts events in the outbox from rows of the same statement, for a `WITH` clause: where `Transaction.outbox`
 * would cost a round trip more. The caller calls `markEvents` for those that are published.
 */
export function insertEvent<P extends z.ZodType>(
  { subject, v, isPublished }: EventContract<P> | RecordedEventContract<P>,
  { key, payload, headers = `'${JSON.stringify({ v: String(v) })}'`, from }: EventSql<P>,
): string {
  const fields = Object.entries<string>(payload).map(([name, value]) => `'${name}', ${value}`);
  const [column, value] = isPublished ? ['', ''] : [', published_at', `, '${NEVER_PUBLISHED}'`];
  return `INSERT INTO outbox (subject, key, payload, headers${column})
    SELECT '${subject}', ${key}, jsonb_build_object(${fields.join(', ')}), ${headers}${value}
    FROM ${from}`;
}
