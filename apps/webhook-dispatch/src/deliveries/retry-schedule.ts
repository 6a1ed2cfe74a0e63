const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const JITTER = 0.2;
const MAX_RETRY_AFTER_MS = 24 * HOUR;

/** How long to wait after the first failure, the second, …; spec: webhooks.md, "Delivery". */
export const RETRY_DELAYS_MS = [
  5 * SECOND,
  5 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  5 * HOUR,
  10 * HOUR,
  14 * HOUR,
  20 * HOUR,
  24 * HOUR,
];

/**
 * Milliseconds until the next try after `failures` of them (from 1), or undefined when there is none. What the receiver
 * asked for (`retryAfterMs`) is the least that is waited, up to a day; else the schedule within 20 % either way.
 */
export function retryDelayMs(failures: number, retryAfterMs?: number, random = Math.random): number | undefined {
  const delay = RETRY_DELAYS_MS[failures - 1];
  if (delay === undefined) return undefined;
  if (retryAfterMs !== undefined)
    return Math.round(Math.min(retryAfterMs, MAX_RETRY_AFTER_MS) * (1 + JITTER * random()));
  return Math.round(delay * (1 - JITTER + 2 * JITTER * random()));
}

/** Milliseconds of a `Retry-After` header (RFC 9110, 10.2.3: seconds or a date), undefined when it is neither. */
export function parseRetryAfter(header: string | string[] | undefined, now = Date.now()): number | undefined {
  const text = (Array.isArray(header) ? header[0] : header)?.trim();
  if (!text) return undefined;
  if (/^\d+$/.test(text)) return Number(text) * SECOND;
  const date = /[a-z]/i.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
