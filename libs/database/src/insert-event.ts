import type { EventContract, RecordedEventContract } from '#lib/contracts';
import { currentCall, currentTraceparent } from '#lib/call-context';
import type { z } from 'zod';
import { NEVER_PUBLISHED } from './event-tables.js';

/** SQL expressions for the columns of an event's row. */
export interface EventSql<P extends z.ZodType> {
  /** Events with the same key keep their order. */
  key: string;
  /** Each field of the payload, in the wire's form. */
  payload: Record<keyof z.input<P> & string, string>;
  /** By default only the event's version: a statement that serves one request adds that request's (`eventHeaders`). */
  headers?: string;
  /** What follows FROM: one event for each of its rows. */
  from: string;
}

/** The headers of an event of the current call, for a parameter of a statement that makes it. */
export function eventHeaders({ v }: { v: number }): Record<string, string> {
  const call = currentCall();
  const traceparent = currentTraceparent();
  return {
    v: String(v),
    ...(call ? { 'roost-request-id': call.requestId } : {}),
    ...(traceparent ? { traceparent } : {}),
  };
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
