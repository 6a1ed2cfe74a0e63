import type { Limits } from '../limits.js';
import type { SandboxRootfs } from './sandbox-rootfs.js';
import type { OpenVolume } from './volumes.js';

/** What a sandbox is made of, whoever makes it. */
export interface SandboxParts {
  agentId: string;
  rootfs: SandboxRootfs;
  volume: OpenVolume;
  limits: Limits;
  /** `cgroup.procs` files that the sandbox's first process joins. */
  cgroups: string[];
}

/** How a sandbox is started. */
export interface SandboxCommand {
  file: string;
  args: string[];
  /**
   * How the daemon gets its configuration: as all of standard input, or as the first line of its connection to the host. The
   * connection is the child's handle 3.
   */
  configuration: 'standard input' | 'first line';
  /** Read to its end by the child from handle 4. */
  seccomp?: Buffer | undefined;
}

/**
 * What makes the process of a sandbox. Whichever it is: the daemon runs in it as uid 1000 without any capability, sees a
 * read-only system and the volume, has no network, and everything ends when the child does or when this process does. Commands can open neither the daemon nor the sandbox's first process.
 */
export interface SandboxRuntime {
  /** Whether the runtime must be able to read the rootfs's programs to run them: else nobody may (see `makeRootfs`). */
  readonly readsPrograms: boolean;
  /** The runtime and how it filters system calls, for an operator. */
  readonly isolation: { runtime: string; syscalls: string };
  /** What an operator should know of it when Roost starts. */
  readonly warnings: string[];
  /** Whether nothing but control groups limits a sandbox's memory. */
  readonly needsCgroups: boolean;
  /** What the control groups of a sandbox allow: the agent's limits, and what the runtime takes for itself. */
  hostLimits(limits: Limits): Limits;
  command(parts: SandboxParts): SandboxCommand;
}

/** No sandbox can be made, and what to do about it. */
export interface NoRuntime {
  whyNot: string;
}

/** User id inside. */
export const AGENT_UID = 1000;

/** Where root mounts what a sandbox shall see, in a mount namespace of its launch: exists everywhere, holds no data of ours. */
export const stagingFolder = '/sys';

/** Joins the control groups, so that nothing of the sandbox ever ran outside them, and becomes the rest of the arguments. */
export const joinScript = `set -e
count=$1; shift
while [ "$count" -gt 0 ]; do echo $$ > "$1"; shift; count=$((count - 1)); done
exec "$@"`;
