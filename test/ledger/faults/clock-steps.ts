import { existsSync, globSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { findOrInstall } from '#tools/launcher';
import type { ServiceSlot } from '../roost/service-slots.js';
import type { FaultClass, FaultContext } from './fault-class.js';

/** Seconds. */
const STEPS = [-86_400, -3_600, -90, 90, 3_600, 86_400] as const;
const HOLD_MS = 3_000;

/** libfaketime, installed where that is permitted. */
export async function findFaketime(): Promise<string | undefined> {
  await findOrInstall({ program: 'faketime', packageName: 'faketime' }, () => undefined);
  // The one for programs of many threads, which Node is.
  return globSync('/usr/lib{,64}{,/*}/faketime/libfaketimeMT.so.1').find((path) => existsSync(path));
}

export const clockSteps: FaultClass = {
  name: 'clock-steps',
  how: 'the wall clock of one process jumps by 90 s, an hour or a day, forward or back, for 3 s and then back (libfaketime; timers go by the monotonic clock, as they do on a real step). PostgreSQL’s clock, by which leases and schedules go, is not stepped',
  quick: 2,
  long: 20,
  missing: async () =>
    (await findFaketime()) ? undefined : 'libfaketime not found (Debian: apt-get install faketime)',
  inject: (context) => stepClock(context, context.random.pick(context.roost.slots), context.random.pick(STEPS)),
  control: {
    without: 'the database’s clock in the scheduler (readClock): slots are due by the clock of the process',
    patches: [
      {
        file: 'apps/scheduler/src/firing/firing-clock.repository.js',
        line: 'const now = clock?.now ?? new Date();',
        instead: 'const now = new Date();',
      },
    ],
    inject: async (context) => {
      for (const slot of context.roost.slots.filter(({ name }) => name.startsWith('scheduler.')))
        await stepClock(context, slot, 3_600);
    },
    breaks: ['slots'],
    faults: 1,
  },
};

async function stepClock({ begin }: FaultContext, slot: ServiceSlot, seconds: number): Promise<void> {
  begin(`the clock of ${slot.name} steps by ${seconds} s`);
  slot.setClock(seconds);
  await sleep(HOLD_MS);
  slot.setClock(0);
}
