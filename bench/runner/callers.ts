import { Pool } from 'undici';

/** Sends JSON to one server over kept connections, one per caller. */
export interface Caller {
  post(path: string, body: unknown): Promise<{ status: number; body: string }>;
  get(path: string): Promise<{ status: number; body: string }>;
}

export interface Calls {
  /** Of each call, in ms. */
  times: number[];
  perSecond: number;
}

export interface Target {
  url: string;
  headers: Record<string, string>;
  callers: number;
  /** Calls in all, or the time after which none begins. */
  count?: number;
  milliseconds?: number;
}

/** Has `callers` call again and again, each after its last answer, until `count` or `milliseconds` is reached. */
export async function callSideBySide(
  { url, headers, callers, count = Infinity, milliseconds = Infinity }: Target,
  call: (caller: Caller, which: number) => Promise<void>,
): Promise<Calls> {
  const pool = new Pool(url, { connections: callers, pipelining: 1 });
  const caller: Caller = {
    post: (path, body) => answered(pool, 'POST', path, headers, JSON.stringify(body)),
    get: (path) => answered(pool, 'GET', path, headers),
  };
  const times: number[] = [];
  let started = 0;
  const begin = performance.now();
  try {
    await Promise.all(
      Array.from({ length: callers }, async (_, which) => {
        while (started++ < count && performance.now() - begin < milliseconds) {
          const at = performance.now();
          await call(caller, which);
          times.push(performance.now() - at);
        }
      }),
    );
    return { times, perSecond: (times.length * 1_000) / (performance.now() - begin) };
  } finally {
    await pool.close();
  }
}

async function answered(
  pool: Pool,
  method: 'GET' | 'POST',
  path: string,
  headers: Record<string, string>,
  body?: string,
): Promise<{ status: number; body: string }> {
  const response = await pool.request({
    method,
    path,
    headers: body === undefined ? headers : { ...headers, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body }),
  });
  return { status: response.statusCode, body: await response.body.text() };
}
