import { ConnectionError, errorOfResponse, TimeoutError } from './errors.js';
import { newKey } from './new-key.js';
import { pauseBefore, sleep } from './retry.js';

export interface RoostOptions {
  /** Where Roost listens, e.g. `http://localhost:3000`; with the path before `/v1` if a proxy adds one. */
  url: string;
  /** `roost_sk_…`, or a token of a sign-in. A function is asked before each request. Absent: cookies, or none. */
  apiKey?: string | (() => string | Promise<string>);
  /** Sent with every request. */
  headers?: Record<string, string>;
  /** How long a call is tried again where that is safe; 60,000 ms if not given, 0 for never. */
  retryForMs?: number;
  /** How long one try may take until its response begins; 75,000 ms if not given. */
  timeoutMs?: number;
  /** Instead of the global one. */
  fetch?: (url: string, init: RequestInit) => Promise<Response>;
}

/** Of one call. */
export interface CallOptions {
  /** Ends the call; it then fails with the signal's reason. What the server has begun it may finish. */
  signal?: AbortSignal | undefined;
  /** Of a POST: the same key within 24 h gives the first result again. One is made when it is not given. */
  idempotencyKey?: string | undefined;
  timeoutMs?: number | undefined;
  retryForMs?: number | undefined;
  headers?: Record<string, string> | undefined;
}

/** A body that can be sent. A stream is sent once: such a call is not tried again. */
export type Content = string | Uint8Array | ArrayBuffer | Blob | ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>;

export interface Call {
  method: string;
  /** With its query, below the URL of Roost. */
  path: string;
  headers?: Record<string, string>;
  body?: Content | undefined;
  /** Its second sending is nothing that the server can recognise: an unauthenticated POST. */
  isUnkeyed?: boolean;
  /** A status besides those of success whose body is an answer and no error. */
  alsoTakes?: number;
}

/** A response whose body is still coming. */
export interface Streaming {
  response: Response;
  /** Lets go of the connection; to be called at the end, however it comes. */
  release(): void;
}

/** A message of the user waits for its answer up to a minute. */
const TIMEOUT_MS = 75_000;
const RETRY_FOR_MS = 60_000;

/** Sends requests: adds who is asking, tries again what may be sent twice, and makes errors of refusals. */
export class Transport {
  readonly url: string;

  constructor(private readonly options: RoostOptions) {
    const { href, protocol } = new URL(options.url);
    if (!/^https?:$/.test(protocol)) throw new TypeError(`url must begin with http:// or https://, not ${protocol}//`);
    this.url = href.replace(/\/+$/, '');
  }

  /** The whole response. Errors: RoostError, ConnectionError, the signal's reason. */
  send(call: Call, options: CallOptions = {}): Promise<Response> {
    return this.trying(call, options, async (response) => {
      const text = await response.text();
      const type = response.headers.get('content-type');
      return new Response(text === '' ? null : text, { headers: type === null ? {} : { 'content-type': type } });
    });
  }

  /** A response whose body the caller reads. */
  async stream(call: Call, options: CallOptions = {}): Promise<Streaming> {
    const { signal, ...rest } = options;
    const abort = new AbortController();
    const passOn = () => abort.abort(signal?.reason);
    if (signal?.aborted) passOn();
    signal?.addEventListener('abort', passOn, { once: true });
    const release = () => signal?.removeEventListener('abort', passOn);
    try {
      const own = { ...rest, signal: abort.signal };
      return { response: await this.trying(call, own, (response) => Promise.resolve(response), true), release };
    } catch (error) {
      release();
      throw error;
    }
  }

  get retryForMs(): number {
    return this.options.retryForMs ?? RETRY_FOR_MS;
  }

  private async trying<T>(
    call: Call,
    options: CallOptions,
    take: (response: Response) => Promise<T>,
    staysOpen = false,
  ): Promise<T> {
    const headers = new Headers({
      accept: 'application/json',
      ...this.options.headers,
      ...call.headers,
      ...options.headers,
    });
    if (call.method === 'POST' && !call.isUnkeyed) headers.set('idempotency-key', options.idempotencyKey ?? newKey());
    const { signal } = options;
    const sent = { method: call.method, headers, isRepeatable: !isStream(call.body) };
    const endsAt = Date.now() + (options.retryForMs ?? this.retryForMs);
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.once(call, await this.signed(headers), options, take, staysOpen);
      } catch (error) {
        if (signal?.aborted) throw signal.reason;
        const pause = pauseBefore(error, attempt, sent);
        if (pause === undefined || Date.now() + pause > endsAt) throw error;
        await sleep(pause, signal);
      }
    }
  }

  private async signed(headers: Headers): Promise<Headers> {
    const { apiKey } = this.options;
    const key = typeof apiKey === 'function' ? await apiKey() : apiKey;
    const signed = new Headers(headers);
    if (key !== undefined && !signed.has('authorization')) signed.set('authorization', `Bearer ${key}`);
    return signed;
  }

  /** One try: until `take` has what it wants of the response, or, of one that stays open, until the response begins. */
  private async once<T>(
    call: Call,
    headers: Headers,
    { signal, timeoutMs = this.options.timeoutMs ?? TIMEOUT_MS }: CallOptions,
    take: (response: Response) => Promise<T>,
    staysOpen: boolean,
  ): Promise<T> {
    const abort = new AbortController();
    const passOn = () => abort.abort(signal?.reason);
    if (signal?.aborted) passOn();
    signal?.addEventListener('abort', passOn, { once: true });
    const late = () => abort.abort(new TimeoutError(`${this.url} did not answer within ${timeoutMs} ms`));
    const timer = setTimeout(late, timeoutMs);
    let isOpen = false;
    try {
      const response = await (this.options.fetch ?? globalThis.fetch)(this.url + call.path, {
        method: call.method,
        headers,
        signal: abort.signal,
        ...(call.body === undefined ? {} : bodyOf(call.body)),
      });
      if (!response.ok && response.status !== call.alsoTakes) throw errorOfResponse(response, await response.text());
      isOpen = staysOpen;
      return await take(response);
    } catch (error) {
      // Some runtimes fail with an error of their own when a signal ends the request.
      if (abort.signal.aborted) throw abort.signal.reason;
      throw error instanceof TypeError ? this.lost(error) : error;
    } finally {
      clearTimeout(timer);
      if (!isOpen) signal?.removeEventListener('abort', passOn);
    }
  }

  /** `fetch` fails with a TypeError whatever happened on the way. */
  private lost(error: TypeError): ConnectionError {
    const cause = error.cause as { code?: unknown; message?: unknown } | undefined;
    const why = [cause?.code, cause?.message, error.message].find((text) => typeof text === 'string' && text !== '');
    return new ConnectionError(`no answer from ${this.url}: ${String(why)}`, { cause: error });
  }
}

export const isStream = (body: Content | undefined): body is ReadableStream<Uint8Array> | AsyncIterable<Uint8Array> =>
  typeof body === 'object' && ('getReader' in body || Symbol.asyncIterator in body);

function bodyOf(body: Content): RequestInit {
  if (!isStream(body)) return { body: body as NonNullable<RequestInit['body']> };
  const stream = 'getReader' in body ? body : streamOf(body);
  // Asked for by the standard where a body is sent before the response has come; not every library of types knows it.
  return { body: stream, duplex: 'half' } as RequestInit;
}

function streamOf(parts: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  const iterator = parts[Symbol.asyncIterator]();
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await iterator.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel(reason) {
      await iterator.return?.(reason);
    },
  });
}
