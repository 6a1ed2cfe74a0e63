import { RoostError } from '#lib/contracts';

/** Node's codes for a server that is not there, and PostgreSQL's for one that starts or stops, or is a standby for now. */
const CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  '57P01',
  '57P02',
  '57P03',
  '25006',
]);
/**
 * Its classes of codes for a connection that broke, for what it has none left of (disk, memory, connections), and for a
 * failure of its system: nothing is wrong with what was asked. https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const CLASSES = /^(08|53|58)...$/;
/**
 * Connections that broke in the middle have no code: pg has only a message. The last is a statement prepared before a newer
 * replica's migration: prepared anew at the next try.
 */
const MESSAGES =
  /^Connection terminated|^Query read timeout|timeout exceeded when trying to connect|connection error and is not queryable|Client was closed|cached plan must not change result type/i;

/** Whether pg gave a statement up that had no answer for so long. */
export const isUnanswered = (error: unknown) => error instanceof Error && error.message === 'Query read timeout';

/** Whether an error means that the database cannot be used for now, rather than that it refused something. */
export function isDatabaseAway(error: unknown): boolean {
  if (error instanceof RoostError) return error.details.some(({ reason }) => reason === REASON);
  if (!(error instanceof Error)) return false;
  const code = codeOf(error);
  return CODES.has(code) || CLASSES.test(code) || MESSAGES.test(error.message);
}

/**
 * What callers get instead: SERVICE_UNAVAILABLE, to be tried again. A commit whose answer was lost may have been
 * made, so what is tried again must be idempotent, as for a request that got no answer.
 */
export function asUnavailable(error: unknown): unknown {
  if (error instanceof RoostError || !isDatabaseAway(error)) return error;
  const message =
    codeOf(error) === DISK_FULL
      ? 'the database’s disk is full; try again once there is room'
      : 'the database cannot be reached for now; try again in a moment';
  const away = new RoostError('SERVICE_UNAVAILABLE', message, [{ reason: REASON }], 2);
  away.cause = error;
  return away;
}

const codeOf = (error: unknown) => (error as { code?: string }).code ?? '';

const REASON = 'database_away';
const DISK_FULL = '53100';
