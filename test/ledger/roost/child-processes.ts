import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { processIdentity } from '#tools/launcher';
import type { FaultTargets, Target } from '../fault-targets.js';

/** The processes that a launcher on this data folder has started. */
export function childProcesses(launcherPid: number, dataDir: string): FaultTargets {
  return {
    busFolder: join(dataDir, 'nats', 'jetstream'),
    find: (target) =>
      processesOf(launcherPid, target).map((pid) => ({
        name: String(pid),
        ageMs: ageMs(pid),
        kill: () => void process.kill(pid, 'SIGKILL'),
        freeze: (forMs) => freeze(pid, forMs),
      })),
  };
}

/** The launcher's child processes that are this service or server. Linux only: it reads /proc. */
export function processesOf(launcherPid: number, target: Target): number[] {
  return childrenOf(launcherPid).filter((pid) => isTarget(pid, target));
}

/** How long a process has lived: field 22 of /proc/PID/stat is when it started, in hundredths of a second since boot. */
function ageMs(pid: number): number {
  const stat = read(`/proc/${pid}/stat`) ?? '';
  const startedAt = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]) * 10;
  return Number(read('/proc/uptime')?.split(' ')[0]) * 1_000 - startedAt;
}

async function freeze(pid: number, forMs: number): Promise<void> {
  const identity = processIdentity(pid);
  process.kill(pid, 'SIGSTOP');
  await sleep(forMs);
  if (processIdentity(pid) === identity) process.kill(pid, 'SIGCONT');
}

/** The parent is the fourth field of /proc/PID/stat, the second after the name in parentheses. */
export function childrenOf(parent: number): number[] {
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
