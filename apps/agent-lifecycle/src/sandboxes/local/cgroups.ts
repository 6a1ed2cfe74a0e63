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
const group = 'roost';
// Short, so that a workspace with many busy processes occupies every processor for a few milliseconds at most.
const cpuPeriodUs = 20_000;
/**
 * All sandboxes together, beside 1,024 of each process outside: on a full machine what serves every agent comes before
 * what some agents run. PostgreSQL's processes of lower priority have 335.
 */
const CPU_SHARES = 205;
/** The same for cgroup v2, beside 100. */
const CPU_WEIGHT = 20;

/** Kernel-enforced limits for a whole sandbox, where this process may set them: cgroup v2, v1, or not at all. */
export class Cgroups {
  readonly mode: 'v2' | 'v1' | 'none';
  private readonly roots: string[];

  constructor(private readonly scope: string) {
    this.roots = findRoots();
    this.mode = this.roots.length === 0 ? 'none' : this.roots.length === 1 ? 'v2' : 'v1';
    this.sweep();
  }

  /** Makes the group of a workspace and returns the `cgroup.procs` files that its first process must be written to. */
  prepare(agentId: string, limits: Limits): string[] {
    return this.roots.map((root) => {
      const folder = join(root, this.scope, agentId);
      mkdirSync(folder, { recursive: true });
      if (this.mode === 'v2') {
        enable(join(root, this.scope));
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
  }

  /** Removes the group of a workspace whose processes are gone. */
  release(agentId: string): void {
    for (const root of this.roots) {
      tryRemove(join(root, this.scope, agentId));
      // Succeeds with the last workspace only: a group that still has others is not empty.
      tryRemove(join(root, this.scope));
    }
  }

  /** Removes groups that an earlier Roost with this data folder left when it was killed. */
  private sweep(): void {
    for (const root of this.roots) {
      const folder = join(root, this.scope);
      if (!existsSync(folder)) continue;
      for (const { name } of readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory()))
        tryRemove(join(folder, name));
    }
  }
}

/** The folders below which groups can be made, one per controller in v1. */
function findRoots(): string[] {
  if (process.platform !== 'linux') return [];
  const candidates = existsSync(join(base, 'cgroup.controllers'))
    ? [unifiedRoot()]
    : ['memory', 'pids', 'cpu'].map((controller) => join(base, controller));
  const roots = candidates.map((candidate) => join(candidate, group));
  try {
    for (const root of roots) {
      mkdirSync(root, { recursive: true });
      accessSync(root, constants.W_OK);
      set(root, 'cpu.shares', CPU_SHARES);
    }
    const [root] = roots;
    if (roots.length === 1 && root !== undefined) {
      enable(unifiedRoot());
      enable(root);
      const available = readFileSync(join(root, 'cgroup.controllers'), 'utf8').split(/\s+/);
      if (!['memory', 'pids', 'cpu'].every((controller) => available.includes(controller))) return [];
      set(root, 'cpu.weight', CPU_WEIGHT);
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
