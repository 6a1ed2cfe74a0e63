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
  /** How long a frozen process sleeps. */
  freezeMs: number;
  isStopped(): boolean;
  log(line: string): void;
}

/** How long a target may take to come back from its last fault before the next one. */
const COMES_BACK_MS = 60_000;

/** Carries out the plan, each fault at its time. Gives those that were done. Errors: a target that did not come back. */
export async function injectFaults(plan: Fault[], options: InjectOptions): Promise<Fault[]> {
  const done: Fault[] = [];
  const thaws: Promise<void>[] = [];
  try {
    for (const fault of plan) {
      const waitMs = options.startedAt + fault.atMs - Date.now();
      if (waitMs > 0) await sleep(waitMs);
      if (options.isStopped()) break;
      const pids = await until(`${fault.target} runs again`, () => someOf(options.launcherPid, fault.target), {
        timeoutMs: COMES_BACK_MS,
      });
      const pid = pids[fault.replica % pids.length] ?? 0;
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

function someOf(launcherPid: number, target: Target): number[] | false {
  const pids = childrenOf(launcherPid).filter((pid) => isTarget(pid, target));
  return pids.length > 0 && pids;
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
