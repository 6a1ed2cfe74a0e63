import { type Dispatcher, request } from 'undici';
import { checkUrl } from './check-url.js';
import type { GuardPolicy } from './policy.js';

export interface GuardedRequest {
  url: string;
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'HEAD';
  headers?: Record<string, string>;
  body?: string | Buffer;
  /** From the start of the dial to the last byte read. */
  timeoutMs: number;
  /** More of the answer than this is not read. */
  maxResponseBytes: number;
}

export interface GuardedResponse {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
  isTruncated: boolean;
}

/**
 * One request to a URL that a user gave. Redirects are answers, not followed. `dispatcher` comes from `guardedDispatcher`
 * with the same policy.
 * Errors: VALIDATION_ERROR or ACCESS_DENIED (`isBlocked`) before anything was sent; else those of undici.
 */
export async function guardedRequest(
  call: GuardedRequest,
  policy: GuardPolicy,
  dispatcher: Dispatcher,
): Promise<GuardedResponse> {
  const url = checkUrl(call.url, policy);
  const late = new AbortController();
  // Not AbortSignal.timeout, whose timer lives on after the answer: thousands a second would pile up.
  const timer = setTimeout(
    () => late.abort(new DOMException('no complete answer in time', 'TimeoutError')),
    call.timeoutMs,
  );
  try {
    const response = await request(url, {
      method: call.method ?? 'GET',
      headers: call.headers ?? {},
      body: call.body ?? null,
      signal: late.signal,
      dispatcher,
    });
    return await readAnswer(response, call.maxResponseBytes);
  } finally {
    clearTimeout(timer);
  }
}

async function readAnswer(response: Dispatcher.ResponseData, maxBytes: number): Promise<GuardedResponse> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  // Leaving the loop ends the connection, so that a sender of endless answers is not read to its end.
  for await (const chunk of response.body as AsyncIterable<Buffer>) {
    chunks.push(chunk.subarray(0, maxBytes - bytes));
    bytes += chunk.length;
    if (bytes > maxBytes) break;
  }
  return {
    status: response.statusCode,
    headers: response.headers,
    body: Buffer.concat(chunks),
    isTruncated: bytes > maxBytes,
  };
}
