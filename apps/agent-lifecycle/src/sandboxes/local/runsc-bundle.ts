import type { Limits } from '../limits.js';
import { type SeccompRule, seccompProfile } from '../seccomp-profile.js';
import { AGENT_UID } from './runtime.js';

export interface BundleOptions {
  /** Folders on the host's side of the launch: the system as the sandbox shall see it, and the volume. */
  rootFolder: string;
  volumeFolder: string;
  /** A file of `goferUid`'s that nobody may open. */
  closedFile: string;
  /** Host user that owns the volume. */
  hostUid: number;
  limits: Limits;
  environment: Record<string, string>;
  args: string[];
}

/**
 * The `config.json` of a sandbox for gVisor (OCI runtime specification): a read-only root, the volume, no network. The
 * host's user of the volume is uid 1000 inside; the part of gVisor that opens files runs in that user namespace, as a host
 * user of its own that owns nothing, and is uid 0 inside.
 *
 * The first process is uid 0 with nothing but the right to become another user. The daemon uses it once and is uid 1000
 * from then on (`--user`), as its commands are; gVisor closes a process that changed its user to that user's others.
 */
export function runscBundle(options: BundleOptions): object {
  const { limits, hostUid } = options;
  const scratch = ['mode=1777', `size=${limits.tmpBytes}`, 'nosuid', 'nodev'];
  const users = [
    { containerID: 0, hostID: goferUid(hostUid), size: 1 },
    { containerID: AGENT_UID, hostID: hostUid, size: 1 },
  ];
  return {
    ociVersion: '1.0.0',
    hostname: 'workspace',
    root: { path: options.rootFolder, readonly: true },
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      // gVisor would show its own there; no agent needs them.
      ...['/sys', '/dev/net'].map(empty),
      { destination: '/dev/fuse', type: 'bind', source: options.closedFile, options: ['bind', 'ro'] },
      { destination: '/tmp', type: 'tmpfs', source: 'tmpfs', options: scratch },
      { destination: '/dev/shm', type: 'tmpfs', source: 'tmpfs', options: scratch },
      {
        destination: '/workspace',
        type: 'bind',
        source: options.volumeFolder,
        options: ['rbind', 'rw', 'nosuid', 'nodev'],
      },
    ],
    process: {
      terminal: false,
      user: { uid: 0, gid: 0 },
      args: options.args,
      env: Object.entries(options.environment).map(([name, value]) => `${name}=${value}`),
      cwd: '/workspace',
      noNewPrivileges: true,
      capabilities: {
        bounding: changeUser,
        effective: changeUser,
        permitted: changeUser,
        inheritable: [],
        ambient: [],
      },
      rlimits: [
        ['RLIMIT_CORE', 0],
        ['RLIMIT_FSIZE', limits.volumeBytes],
        ['RLIMIT_NOFILE', limits.openFiles],
      ].map(([type, value]) => ({ type, soft: value, hard: value })),
    },
    linux: {
      namespaces: ['pid', 'ipc', 'uts', 'mount', 'network', 'user'].map((type) => ({ type })),
      uidMappings: users,
      gidMappings: users,
      seccomp: seccomp(),
    },
  };
}

const changeUser = ['CAP_SETUID', 'CAP_SETGID'];

function empty(destination: string): object {
  return { destination, type: 'tmpfs', source: 'tmpfs', options: ['mode=0555', 'size=4096', 'ro'] };
}

/** The host user of the part that opens files (gVisor's gofer): above the users of all volumes (volumes.ts). */
export function goferUid(hostUid: number): number {
  return hostUid + 1_000_000_000;
}

const architectures: Partial<Record<NodeJS.Architecture, string>> = {
  x64: 'SCMP_ARCH_X86_64',
  arm64: 'SCMP_ARCH_AARCH64',
};

/** The filter of the other tiers, which gVisor applies to its own calls. */
function seccomp(): object {
  const { defaultAction, syscalls } = seccompProfile();
  return {
    defaultAction,
    architectures: [architectures[process.arch]],
    syscalls: [...syscalls.map(asGvisorDoes), ...raisedPriority],
  };
}

/** gVisor would let everybody raise a priority: only the one that commands begin with, or a lower one, is allowed. */
const raisedPriority = [
  { op: 'SCMP_CMP_LT', value: 10 },
  { op: 'SCMP_CMP_GT', value: 0x7fffffff },
].map((argument) => ({ names: ['setpriority'], action: 'SCMP_ACT_ERRNO', args: [{ index: 2, ...argument }] }));

/** gVisor answers every ERRNO with EPERM. A call traced by nobody gives ENOSYS. */
function asGvisorDoes(rule: SeccompRule): SeccompRule {
  return rule.names.includes('clone3') ? { ...rule, action: 'SCMP_ACT_TRACE' } : rule;
}
