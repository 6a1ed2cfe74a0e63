import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '#lib/testing';
import { type Fault, SERVERS } from './fault-plan.js';
import type { FaultTargets, Victim } from './fault-targets.js';

export interface InjectOptions {
  targets: FaultTargets;
  startedAt: number;
  /** How long a service takes to start on this machine; most faults leave it that time since its last one. */
  startMs: number;
  /** How long a frozen process sleeps. */
  freezeMs: number;
  isStopped(): boolean;
  log(line: string): void;
}

/** PostgreSQL and NATS serve within a second, after a crash too. */
const SERVER_START_MS = 2_000;
/** How long a target may take to come back from its last fault before the next one. */
const COMES_BACK_MS = 120_000;

/** Carries out the plan, each fault at its time. Gives those that were done. Errors: a target that did not come back. */
export async function injectFaults(plan: Fault[], options: InjectOptions): Promise<Fault[]> {
  const { targets } = options;
  const done: Fault[] = [];
  const thaws: Promise<void>[] = [];
  try {
    for (const fault of plan) {
      const waitMs = options.startedAt + fault.atMs - Date.now();
      if (waitMs > 0) await sleep(waitMs);
      if (options.isStopped()) break;
      const minAgeMs = fault.mayHitStart ? 0 : isServer(fault) ? SERVER_START_MS : options.startMs;
      const victim = await until(
        `${fault.target} runs again`,
        async () => choose(await targets.find(fault.target), fault.replica, minAgeMs),
        { timeoutMs: COMES_BACK_MS, everyMs: 250 },
      );
      const atSeconds = ((Date.now() - options.startedAt) / 1_000).toFixed(1);
      options.log(`${atSeconds.padStart(6)} s  ${fault.kind.padEnd(6)} ${fault.target} (${victim.name})`);
      if (fault.kind === 'freeze') thaws.push(victim.freeze(options.freezeMs));
      else {
        if (fault.kind === 'wipe') await wipe(targets.busFolder);
        await victim.kill();
      }
      done.push(fault);
    }
  } finally {
    await Promise.all(thaws);
  }
  return done;
}

const isServer = ({ target }: Fault) => SERVERS.some((server) => server === target);

/** The server writes on meanwhile: a folder may get new files between its listing and its removal. */
async function wipe(folder: string): Promise<void> {
  await until('the NATS store is deleted', () =>
    rm(folder, { recursive: true, force: true }).then(
      () => true,
      () => false,
    ),
  );
}

/** The replica of the plan, or false while it is younger than it must be. */
function choose(victims: Victim[], replica: number, minAgeMs: number): Victim | false {
  const victim = victims[replica % victims.length];
  return victim !== undefined && victim.ageMs >= minAgeMs && victim;
}
