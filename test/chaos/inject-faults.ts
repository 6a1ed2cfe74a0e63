import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '#lib/testing';
import { processIdentity } from '#tools/launcher';
import type { Fault, Target } from './fault-plan.js';

export interface InjectOptions {
  /** Of the launcher, whose children are the targets. */
  launcherPid: number;
  dataDir: string;
  startedAt: number;
  /** How long a service takes to start on this machine; most faults leave it that time since its last one. */
  startMs: number;
  /** How long a frozen process sleeps. */
  freezeMs: number;
  isStopped(): boolean;
  log(line: string): void;
}

/** How long a target may take to come back from its last fault before the next one. */
const COMES_BACK_MS = 120_000;

/** Carries out the plan, each fault at its time. Gives those that were done. Errors: a target that did not come back. */
export async function injectFaults(plan: Fault[], options: InjectOptions): Promise<Fault[]> {
  const done: Fault[] = [];
  const thaws: Promise<void>[] = [];
  try {
    for (const fault of plan) {
      const waitMs = options.startedAt + fault.atMs - Date.now();
      if (waitMs > 0) await sleep(waitMs);
      if (options.isStopped()) break;
      const minAgeMs = fault.mayHitStart ? 0 : options.startMs;
      const pid = await until(
        `${fault.target} runs again`,
        () => choose(someOf(options.launcherPid, fault.target), fault.replica, minAgeMs),
        { timeoutMs: COMES_BACK_MS },
      );
      const atSeconds = ((Date.now() - options.startedAt) / 1_000).toFixed(1);
      options.log(`${atSeconds.padStart(6)} s  ${fault.kind.padEnd(6)} ${fault.target} (${pid})`);
      if (fault.kind === 'freeze') thaws.push(freeze(pid, options.freezeMs));
      else {
        if (fault.kind === 'wipe')
          rmSync(join(options.dataDir, 'nats', 'jetstream'), { recursive: true, force: true, maxRetries: 5 });
        process.kill(pid, 'SIGKILL');
      }
      done.push(fault);
    }
  } finally {
    await Promise.all(thaws);
  }
  return done;
}

async function freeze(pid: number, forMs: number): Promise<void> {
  const identity = processIdentity(pid);
  process.kill(pid, 'SIGSTOP');
  await sleep(forMs);
  if (processIdentity(pid) === identity) process.kill(pid, 'SIGCONT');
}

function someOf(launcherPid: number, target: Target): number[] {
  return childrenOf(launcherPid).filter((pid) => isTarget(pid, target));
}

/** The replica of the plan, or false while it is younger than it must be. */
function choose(pids: number[], replica: number, minAgeMs: number): number | false {
  const pid = pids[replica % pids.length];
  return pid !== undefined && ageMs(pid) >= minAgeMs && pid;
}

/** Field 22 of /proc/PID/stat: when it started, in hundredths of a second since boot. */
function ageMs(pid: number): number {
  const stat = read(`/proc/${pid}/stat`) ?? '';
  const startedAt = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]) * 10;
  return Number(read('/proc/uptime')?.split(' ')[0]) * 1_000 - startedAt;
}

/** Linux only: the parent is the fourth field of /proc/PID/stat, the second after the name in parentheses. */
function childrenOf(parent: number): number[] {
  return readdirSync('/proc').flatMap((name) => {
    const stat = /^\d+$/.test(name) ? read(`/proc/${name}/stat`) : undefined;
    const [state, ppid] = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? [];
    return Number(ppid) === parent && state !== 'Z' ? [Number(name)] : [];
  });
}

function isTarget(pid: number, target: Target): boolean {
  const argv = read(`/proc/${pid}/cmdline`)?.split('\0') ?? [];
  if (target === 'postgres' || target === 'nats-server') return argv[0]?.split('/').at(-1) === target;
  return argv.some((argument) => argument.endsWith(`/apps/${target}/src/main.js`));
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined; // it ended while we looked
  }
}
