import { type ApiResponse, type SpawnedRoost, until } from '#lib/testing';
import { setTimeout as sleep } from 'node:timers/promises';
import { SERVICES } from '../ledger/fault-targets.js';
import { processesOf } from '../ledger/roost/child-processes.js';

/** Longer than a lease and a restart of every service on a busy machine. */
export const PATIENCE_MS = 180_000;
/** What goes on between a restart and the next kill is worth being cut off. */
const PAUSE_MS = 700;

export interface RepeatedKills {
  count(): number;
  /** Resolves once so many kills have happened. */
  reach(count: number): Promise<unknown>;
  /** No more kills; resolves when all services run again. */
  stop(): Promise<void>;
}

/** kill -9 of one service after the other, `most` in all, each as soon as all have come back from the one before. */
export function killRepeatedly(roost: SpawnedRoost, most: number): RepeatedKills {
  let isOver = false;
  let killed = 0;
  const isReady = async () => {
    const answer = await roost.api('GET', '/health/ready').catch(() => undefined);
    return answer?.status === 200 && SERVICES.every((service) => processesOf(roost.pid, service).length > 0);
  };
  const loop = (async () => {
    while (!isOver && killed < most) {
      await sleep(PAUSE_MS);
      if (isOver || !(await isReady())) continue;
      const [pid] = processesOf(roost.pid, SERVICES[killed % SERVICES.length] ?? 'gateway');
      if (pid === undefined) continue;
      process.kill(pid, 'SIGKILL');
      killed += 1;
    }
  })();
  return {
    count: () => killed,
    reach: (count) => until(`${count} kills`, () => killed >= count, { timeoutMs: count * 30_000, everyMs: 100 }),
    async stop() {
      isOver = true;
      await loop;
      await until('all services run again', isReady, { timeoutMs: PATIENCE_MS, everyMs: 200 });
    },
  };
}

/** A call of the API, repeated until it is answered and no service is missing: the gateway may be gone in the middle of one. */
export function insist<Body>(
  roost: SpawnedRoost,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<ApiResponse<Body>> {
  return until(
    `${method} ${path} is answered`,
    async () => {
      const answer = await roost.api<Body>(method, path, body, headers).catch(() => undefined);
      return answer && answer.status < 500 && answer;
    },
    { timeoutMs: PATIENCE_MS, everyMs: 200 },
  );
}
