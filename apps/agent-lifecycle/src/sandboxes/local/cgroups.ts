import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Limits } from '../limits.js';

const base = '/sys/fs/cgroup';
// Short, so that a workspace with many busy processes occupies every processor for a few milliseconds at most.
const cpuPeriodUs = 20_000;
/** Of the processor, as cgroup v1 counts it (a process outside has 1,024) and as v2 does (100). */
interface Share {
  v1: number;
  v2: number;
}
/**
 * All sandboxes together: on a full machine what serves every agent comes before what some agents run. PostgreSQL's
 * processes of lower priority have 335.
 */
const sandboxes: Share = { v1: 205, v2: 20 };
/**
 * All of them while one starts, as much as one process outside: until its daemon answers it runs nothing of the agent's, and
 * somebody waits for it. No more, as the others get what it leaves, and an account may have its agents start all the time.
 */
const sandboxesAndAStart: Share = { v1: 1_024, v2: 100 };
/** One among the others, before and after it answers. */
const starting: Share = { v1: 16_384, v2: 1_600 };
const started: Share = { v1: 1_024, v2: 100 };

/** Kernel-enforced limits for a whole sandbox, where this process may set them: cgroup v2, v1, or not at all. */
export class Cgroups {
  readonly mode: 'v2' | 'v1' | 'none';
  /** One per controller in v1, one in all in v2. Each holds a group per workspace. */
  private readonly roots: string[];
  private readonly startingAgents = new Set<string>();

  /** @param installation Short name of the data folder: each has groups of its own. */
  constructor(installation: string) {
    this.roots = findRoots(`roost-${installation}`);
    this.mode = this.roots.length === 0 ? 'none' : this.roots.length === 1 ? 'v2' : 'v1';
    this.sweep();
  }

  /**
   * Makes the group of a workspace that starts and returns the `cgroup.procs` files that its first process must be written
   * to. Until `hasStarted` or `release` it comes before other sandboxes.
   */
  prepare(agentId: string, limits: Limits): string[] {
    const files = this.roots.map((root) => {
      const folder = join(root, agentId);
      mkdirSync(folder, { recursive: true });
      if (this.mode === 'v2') {
        enable(root);
        set(folder, 'memory.max', limits.memoryBytes);
        set(folder, 'memory.swap.max', 0);
        set(folder, 'memory.oom.group', 0);
        set(folder, 'pids.max', limits.processes);
        set(folder, 'cpu.max', `${quotaUs(limits)} ${cpuPeriodUs}`);
      } else if (root.includes('/memory')) set(folder, 'memory.limit_in_bytes', limits.memoryBytes);
      else if (root.includes('/pids')) set(folder, 'pids.max', limits.processes);
      else {
        set(folder, 'cpu.cfs_period_us', cpuPeriodUs);
        set(folder, 'cpu.cfs_quota_us', quotaUs(limits));
      }
      return join(folder, 'cgroup.procs');
    });
    // Not before the groups are made: where that fails nobody calls `release`.
    this.startingAgents.add(agentId);
    this.share(agentId, starting);
    return files;
  }

  /** The daemon of a workspace answers: what it runs from now on is its agent's. */
  hasStarted(agentId: string): void {
    this.startingAgents.delete(agentId);
    this.share(agentId, started);
  }

  /** Removes the group of a workspace whose processes are gone. */
  release(agentId: string): void {
    this.hasStarted(agentId);
    for (const root of this.roots) {
      tryRemove(join(root, agentId));
      // Succeeds with the last workspace only: a group that still has others is not empty.
      tryRemove(root);
    }
  }

  private share(agentId: string, ofOne: Share): void {
    const ofAll = this.startingAgents.size > 0 ? sandboxesAndAStart : sandboxes;
    for (const root of this.roots) {
      setShare(root, ofAll);
      setShare(join(root, agentId), ofOne);
    }
  }

  /** Removes groups that an earlier Roost with this data folder left when it was killed. */
  private sweep(): void {
    for (const root of this.roots) {
      if (!existsSync(root)) continue;
      for (const { name } of readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory()))
        tryRemove(join(root, name));
      tryRemove(root); // made to see whether it can be: the first workspace makes it again
    }
  }
}

/** The folders below which groups can be made, one per controller in v1. */
function findRoots(group: string): string[] {
  if (process.platform !== 'linux') return [];
  const candidates = existsSync(join(base, 'cgroup.controllers'))
    ? [unifiedRoot()]
    : ['memory', 'pids', 'cpu'].map((controller) => join(base, controller));
  const roots = candidates.map((candidate) => join(candidate, group));
  try {
    for (const root of roots) {
      mkdirSync(root, { recursive: true });
      accessSync(root, constants.W_OK);
    }
    const [root] = roots;
    if (roots.length === 1 && root !== undefined) {
      enable(unifiedRoot());
      enable(root);
      const available = readFileSync(join(root, 'cgroup.controllers'), 'utf8').split(/\s+/);
      if (!['memory', 'pids', 'cpu'].every((controller) => available.includes(controller))) return [];
    }
    return roots;
  } catch {
    return []; // not ours to write: the caller falls back to limits per process, with a warning
  }
}

/** Root's groups hang off the top; a user's off the group that systemd delegated to its session. */
function unifiedRoot(): string {
  if (process.getuid?.() === 0) return base;
  const own = /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1] ?? '/';
  return join(base, own, '..');
}

function enable(folder: string): void {
  writeFileSync(join(folder, 'cgroup.subtree_control'), '+memory +pids +cpu');
}

function quotaUs({ cpuMillis }: Limits): number {
  return Math.max(1_000, Math.floor((cpuMillis / 1_000) * cpuPeriodUs));
}

function setShare(folder: string, { v1, v2 }: Share): void {
  set(folder, 'cpu.shares', v1);
  set(folder, 'cpu.weight', v2);
}

function set(folder: string, name: string, value: string | number): void {
  const file = join(folder, name);
  if (existsSync(file)) writeFileSync(file, String(value));
}

function tryRemove(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    return; // still in use, or already gone
  }
}
