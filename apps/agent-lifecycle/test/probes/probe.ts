/** Canaries on the host that no sandbox may see. All are made for one run and harmless. */
export interface ProbeFixture {
  /** Printed by whatever is reached. */
  token: string;
  /** Host folder with `canary` (readable by all) and `writable` (writable by all), both by everyone who sees them. */
  folder: string;
  /** A folder that holds what belongs to other agents. */
  foreignFolder: string;
  /** Process id of a host process, and a text in its command line. */
  hostPid: number;
  hostPidMark: string;
  /** A TCP server on all of the host's loopback addresses that sends the token, also over HTTP. */
  port: number;
  /** The bus' port on 127.0.0.1. */
  busPort: number;
  unixSocket: string;
  abstractSocket: string;
  sharedMemoryKey: number;
  messageQueue: string;
  /** Device of the host's root file system, with its numbers. */
  disk: { path: string; major: number; minor: number };
}

/**
 * One try to get out, or to take more than one's share. The command prints ESCAPED when it succeeded, and leaves
 * nothing behind but files named `p-…` in its working directory. A probe counts only where it succeeds without a sandbox.
 */
export interface Probe {
  name: string;
  command(fixture: ProbeFixture): string;
  /** For the run without a sandbox, which is root's, with private mounts and host name: makes the try harmless. */
  setup?(fixture: ProbeFixture): string;
  /** That run gets a network namespace of its own too. */
  ownNetwork?: boolean;
}

export interface ProbeGroup {
  name: string;
  probes: Probe[];
  /** Its probes take so much that each must run by itself. */
  isAlone?: boolean;
}

/** Succeeds by exit code. */
export function succeeds(
  name: string,
  command: string | ((fixture: ProbeFixture) => string),
  more: Partial<Probe> = {},
): Probe {
  const text = typeof command === 'string' ? () => command : command;
  return { name, command: (fixture) => `(${text(fixture)}\n) > /dev/null && echo ESCAPED`, ...more };
}

/** Succeeds by printing the token. */
export function reads(name: string, command: (fixture: ProbeFixture) => string, more: Partial<Probe> = {}): Probe {
  return { name, command: (fixture) => `(${command(fixture)}\n) | grep -aq ${fixture.token} && echo ESCAPED`, ...more };
}

const numbers: Record<string, [x64: number, arm64: number]> = {
  acct: [163, 89],
  add_key: [248, 217],
  bpf: [321, 280],
  clone3: [435, 435],
  fanotify_init: [300, 262],
  fsopen: [430, 430],
  io_uring_setup: [425, 425],
  kcmp: [312, 272],
  keyctl: [250, 219],
  memfd_secret: [447, 447],
  mount_setattr: [442, 442],
  mq_open: [240, 180],
  mq_unlink: [241, 181],
  name_to_handle_at: [303, 264],
  open_by_handle_at: [304, 265],
  open_tree: [428, 428],
  perf_event_open: [298, 241],
  pidfd_getfd: [438, 438],
  pidfd_open: [434, 434],
  process_vm_readv: [310, 270],
  process_vm_writev: [311, 271],
  ptrace: [101, 117],
  quotactl: [179, 60],
  set_mempolicy: [238, 237],
  setns: [308, 268],
  setxattr: [188, 5],
  syslog: [103, 116],
  unshare: [272, 97],
  userfaultfd: [323, 282],
};

/** The number of a system call on this processor. */
export function callNumber(name: string): number {
  const found = numbers[name]?.[process.arch === 'arm64' ? 1 : 0];
  if (found === undefined) throw new TypeError(`no number known for ${name}`);
  return found;
}

/** Makes a system call from Perl, which every Debian has. Succeeds when the call does. */
export function calls(name: string, args: string, more: Partial<Probe> & { before?: string } = {}): Probe {
  const { before = '', ...rest } = more;
  const script = `${before} exit(syscall(${callNumber(name)}, ${args}) < 0 ? 1 : 0)`;
  return succeeds(`system call ${name}`, `perl -e '${script}'`, rest);
}
