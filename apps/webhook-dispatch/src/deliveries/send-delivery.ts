import { RoostError } from '#lib/contracts';
import { guardedRequest, type GuardPolicy, isBlocked } from '#lib/net-guard';
import type { Dispatcher } from 'undici';
import type { EndpointSecrets } from '../endpoints/endpoint-secrets.js';
import { webhookIdOf } from './deliveries.repository.js';
import type { ClaimedDelivery } from './claims.repository.js';
import { parseRetryAfter, retryDelayMs } from './retry-schedule.js';

const TIMEOUT_MS = 15_000;
const READ_BYTES = 65_536;
const STORED_BYTES = 1_024;

/** What came of one try. */
export interface Outcome {
  delivery: ClaimedDelivery;
  status: 'succeeded' | 'pending' | 'dead' | 'blocked';
  /** Of a `pending` one: milliseconds until the next try. */
  retryInMs: number;
  /** The receiver wants nothing more, ever. */
  isGone: boolean;
  startedAt: Date;
  durationMs: number;
  responseStatus: number | null;
  responseBody: string;
  error: string | null;
}

/**
 * Signs and sends one delivery. Never throws: whatever happens is an outcome. When this process dies in between, the
 * lease ends and the same `webhook-id` is sent again.
 */
export async function sendDelivery(
  delivery: ClaimedDelivery,
  secrets: EndpointSecrets,
  policy: GuardPolicy,
  dispatcher: Dispatcher,
  traceparent?: string,
): Promise<Outcome> {
  const startedAt = new Date();
  const outcome = {
    delivery,
    startedAt,
    isGone: false,
    retryInMs: 0,
    responseStatus: null,
    responseBody: '',
    error: null,
  };
  const durationMs = () => Math.max(0, Date.now() - startedAt.getTime());
  try {
    const response = await guardedRequest(
      {
        url: delivery.url,
        method: 'POST',
        headers: { ...signedHeaders(delivery, secrets, startedAt), ...(traceparent && { traceparent }) },
        body: delivery.body,
        timeoutMs: TIMEOUT_MS,
        maxResponseBytes: READ_BYTES,
      },
      policy,
      dispatcher,
    );
    const answered = {
      ...outcome,
      durationMs: durationMs(),
      responseStatus: response.status,
      responseBody: stored(response.body),
    };
    if (response.status >= 200 && response.status < 300) return { ...answered, status: 'succeeded' };
    const asked = response.status === 429 || response.status === 503 ? response.headers['retry-after'] : undefined;
    return {
      ...answered,
      ...nextTry(delivery, parseRetryAfter(asked)),
      isGone: response.status === 410,
      error: `the receiver answered ${response.status}`,
    };
  } catch (error) {
    const failed = { ...outcome, durationMs: durationMs(), error: describe(error) };
    if (isBlocked(error) || (error instanceof RoostError && error.code === 'VALIDATION_ERROR'))
      return { ...failed, status: 'blocked' };
    return { ...failed, ...nextTry(delivery) };
  }
}

function signedHeaders(delivery: ClaimedDelivery, secrets: EndpointSecrets, at: Date): Record<string, string> {
  const webhookId = webhookIdOf(delivery.event_id);
  const sealed = [delivery.sealed_secret, delivery.sealed_previous_secret].filter((secret) => secret !== null);
  return {
    'content-type': 'application/json',
    'user-agent': 'Roost-Webhooks/1',
    'webhook-id': webhookId,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
    'webhook-signature': secrets.sign(delivery.endpoint_id, sealed, webhookId, at, delivery.body),
  };
}

function nextTry(delivery: ClaimedDelivery, retryAfterMs?: number): Pick<Outcome, 'status' | 'retryInMs'> {
  const retryInMs = retryDelayMs(delivery.tries + 1, retryAfterMs);
  return retryInMs === undefined ? { status: 'dead', retryInMs: 0 } : { status: 'pending', retryInMs };
}

/** Postgres' text holds no NUL. */
function stored(body: Buffer): string {
  return body.subarray(0, STORED_BYTES).toString('utf8').replaceAll('\0', '\uFFFD');
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return 'the request failed';
  if (error.name === 'TimeoutError') return `no complete answer within ${TIMEOUT_MS / 1_000} s`;
  const code = 'code' in error && typeof error.code === 'string' ? `${error.code}: ` : '';
  return `${code}${error.message}`.replaceAll('\0', '').slice(0, 500);
}
