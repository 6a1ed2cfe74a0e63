import type { Dispatcher } from 'undici';
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
 * with the same policy: it checks the address of each connection, also of a URL that was checked before.
 * Errors: VALIDATION_ERROR or ACCESS_DENIED (`isBlocked`) before anything was sent; a `TimeoutError`; else those of undici.
 */
export function guardedRequest(
  call: GuardedRequest,
  policy: GuardPolicy,
  dispatcher: Dispatcher,
): Promise<GuardedResponse> {
  return new Promise((resolve, reject) => {
    const { origin, path } = targetOf(call.url, policy);
    const exchange = new Exchange(call, resolve, reject);
    const { method = 'GET', headers = {}, body = null } = call;
    dispatcher.dispatch({ origin, path, method, headers, body }, exchange);
  });
}

interface Target {
  origin: string;
  path: string;
}

const MAX_TARGETS = 1_000;
const targetsOf = new WeakMap<GuardPolicy, Map<string, Target>>();

/** The parts of a checked URL. The check is one of the text and the policy alone, so that it is made once for many requests. */
function targetOf(text: string, policy: GuardPolicy): Target {
  const targets = targetsOf.get(policy) ?? new Map<string, Target>();
  targetsOf.set(policy, targets);
  const known = targets.get(text);
  if (known) return known;
  const { origin, pathname, search } = checkUrl(text, policy);
  const target = { origin, path: `${pathname}${search}` };
  if (targets.size >= MAX_TARGETS) targets.clear();
  targets.set(text, target);
  return target;
}

/** Takes one answer within its limits. undici's `request` makes a stream and a signal of each, which takes as long as sending. */
class Exchange implements Dispatcher.DispatchHandler {
  private readonly timer: NodeJS.Timeout;
  private readonly maxBytes: number;
  private controller: Dispatcher.DispatchController | undefined;
  /** The caller has its outcome; what comes after it is not wanted. */
  private isOver = false;
  private status = 0;
  private headers: GuardedResponse['headers'] = {};
  private readonly chunks: Buffer[] = [];
  private bytes = 0;

  constructor(
    { timeoutMs, maxResponseBytes }: GuardedRequest,
    private readonly resolve: (response: GuardedResponse) => void,
    private readonly reject: (error: Error) => void,
  ) {
    this.maxBytes = maxResponseBytes;
    this.timer = setTimeout(
      () => this.cutOff(new DOMException('no complete answer in time', 'TimeoutError')),
      timeoutMs,
    );
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller;
    // It had to wait for a connection, for too long.
    if (this.isOver) controller.abort(new Error('not wanted any more'));
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: GuardedResponse['headers']): void {
    this.status = status;
    this.headers = headers;
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    this.chunks.push(chunk.subarray(0, this.maxBytes - this.bytes));
    this.bytes += chunk.length;
    if (this.bytes <= this.maxBytes) return;
    this.onResponseEnd();
    // Ends the connection, so that a sender of endless answers is not read to its end.
    this.controller?.abort(new Error('the rest of the answer is not wanted'));
  }

  onResponseEnd(): void {
    if (this.isOver) return;
    this.finish();
    this.resolve({
      status: this.status,
      headers: this.headers,
      body: Buffer.concat(this.chunks),
      isTruncated: this.bytes > this.maxBytes,
    });
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    if (this.isOver) return;
    this.finish();
    this.reject(error);
  }

  private cutOff(error: Error): void {
    this.finish();
    this.reject(error);
    this.controller?.abort(error);
  }

  private finish(): void {
    this.isOver = true;
    clearTimeout(this.timer);
  }
}
