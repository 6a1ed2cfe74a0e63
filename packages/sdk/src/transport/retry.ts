import { ConnectionError, RoostError } from './errors.js';

const FIRST_PAUSE_MS = 300;
const LONGEST_PAUSE_MS = 5_000;

/** Answers that say nothing of the request itself: a proxy without its server, a server that is going away. */
const PASSING = [408, 502, 503, 504];

/** What must be known of a call to say whether it may be sent twice. */
export interface Sent {
  method: string;
  headers: Headers;
  /** The body is still there: no stream that is used up. */
  isRepeatable: boolean;
}

/**
 * How long to wait before a call is sent again; undefined when it may not be. Only that is repeated whose second sending
 * changes nothing: reads, POSTs with an Idempotency-Key, whole replacements without a condition, and what was refused
 * before it was looked at.
 */
export function pauseBefore(error: unknown, attempt: number, sent: Sent): number | undefined {
  if (!sent.isRepeatable) return undefined;
  if (error instanceof ConnectionError) return isIdempotent(sent) ? backoff(attempt) : undefined;
  if (!(error instanceof RoostError)) return undefined;
  const { status, code, retryAfterMs } = error;
  const asked = Math.max(retryAfterMs ?? 0, backoff(attempt));
  if (status === 429) return asked;
  // The first sending of this key is still being carried out, or was lost with its gateway and is given up soon.
  if (status === 409) return retryAfterMs !== undefined && sent.headers.has('idempotency-key') ? asked : undefined;
  // Nothing but a change of the agent helps there.
  if (code === 'AGENT_UNAVAILABLE' && retryAfterMs === undefined) return undefined;
  return PASSING.includes(status) && isIdempotent(sent) ? asked : undefined;
}

/** Between half of it and the whole: callers that failed together do not come again together. */
export function backoff(attempt: number): number {
  return Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt) * (0.5 + Math.random() / 2);
}

function isIdempotent({ method, headers }: Sent): boolean {
  if (method === 'GET' || method === 'HEAD') return true;
  // Met by the first sending, a condition refuses the second.
  if (method === 'PUT') return !headers.has('if-match');
  return method === 'POST' && headers.has('idempotency-key');
}

/** Errors: the signal's reason. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    if (signal?.aborted) return void reject(signal.reason as Error);
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', abort, { once: true });
  });
}
