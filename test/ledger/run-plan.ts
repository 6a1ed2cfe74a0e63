import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultClass, FaultContext } from './faults/fault-class.js';
import type { Random } from './random.js';
import type { Record } from './record.js';

export interface Planned<Context extends FaultContext> {
  fault: FaultClass<Context>;
  atMs: number;
}

/** So many faults of each class in an order by chance, spread over the duration; the same for the same numbers. */
export function planFaults<Context extends FaultContext>(
  random: Random,
  counts: Map<FaultClass<Context>, number>,
  durationMs: number,
): Planned<Context>[] {
  const all = [...counts].flatMap(([fault, count]) => Array.from({ length: count }, () => fault));
  const gapMs = durationMs / all.length;
  const planned: Planned<Context>[] = [];
  while (all.length > 0) {
    const [fault] = all.splice(Math.floor(random.next() * all.length), 1);
    if (fault) planned.push({ fault, atMs: Math.round((planned.length + random.next()) * gapMs) });
  }
  return planned;
}

export interface RunPlanOptions<Context extends FaultContext> {
  context: Omit<Context, 'begin'>;
  record: Record;
  isStopped(): boolean;
  log(line: string): void;
}

/**
 * Makes each fault at its time, or as soon as the one before is over; while one that takes long goes on others follow.
 * Errors: a target that did not come back.
 */
export async function runPlan<Context extends FaultContext>(
  plan: Planned<Context>[],
  { context, record, isStopped, log }: RunPlanOptions<Context>,
): Promise<void> {
  const startedAt = Date.now();
  let beside: Promise<void> = Promise.resolve();
  for (const { fault, atMs } of plan) {
    const waitMs = startedAt + atMs - Date.now();
    if (waitMs > 0) await sleep(waitMs);
    if (isStopped()) break;
    const begin: FaultContext['begin'] = (what, { endsWorkers } = { endsWorkers: false }) => {
      log(`${((Date.now() - startedAt) / 1_000).toFixed(1).padStart(6)} s  ${fault.name.padEnd(16)} ${what}`);
      record.write({ kind: 'fault', fault: fault.name, what, endsWorkers });
    };
    const inject = async () => {
      await fault.inject({ ...context, begin } as Context);
      record.write({ kind: 'healed', fault: fault.name });
    };
    if (!fault.takesLong) await inject();
    else {
      await beside;
      beside = inject();
      beside.catch(() => undefined); // awaited below
    }
  }
  await beside;
}
