import { basename, join } from 'node:path';
import { hostSystem, nodeInside, nodePrefix } from './host-system.js';
import {
  AGENT_UID,
  joinScript,
  type SandboxCommand,
  type SandboxParts,
  type SandboxRuntime,
  stagingFolder,
} from './runtime.js';
import { daemonInside, initCommand, rootfsPrograms, rootfsTrust, ownEtc } from './sandbox-rootfs.js';
import { seccompProgram } from './seccomp.js';
import { mountImageScript } from './volume-images.js';

/** Where bubblewrap finds the system call filter. */
const SECCOMP_FD = 4;

/**
 * Sandboxes by bubblewrap: own user, mount, process, network, IPC, host name and cgroup namespaces on the host's kernel,
 * behind a filter of system calls; nothing of the host but a read-only /usr, libraries and certificates; no capability.
 */
export function bubblewrap(path: string): SandboxRuntime {
  const seccomp = seccompProgram();
  return {
    readsPrograms: false,
    needsCgroups: false,
    isolation: { runtime: 'bubblewrap', syscalls: seccomp ? 'filtered' : 'not filtered' },
    warnings: seccomp ? [] : [`no system call filter is known for this processor (${process.arch})`],
    hostLimits: (limits) => limits,
    command: (parts) => ({ ...command(path, parts), configuration: 'standard input', seccomp }),
  };
}

/**
 * Root first enters a private mount namespace, shows the volume and the rootfs there under names that any user can reach
 * (the data folder may be under /root), and goes on as the workspace's own unprivileged user: not even a hole in the
 * sandbox would then lead to root, or to another agent's files.
 */
function command(path: string, parts: SandboxParts): Pick<SandboxCommand, 'file' | 'args'> {
  const { rootfs, volume, cgroups } = parts;
  const prefix = nodePrefix();
  if (volume.hostUid === undefined) {
    const args = [path, ...bubblewrapArguments(parts, rootfs.folder, volume.source, prefix)];
    return { file: '/bin/sh', args: ['-c', joinScript, 'roost-join', String(cgroups.length), ...cgroups, ...args] };
  }
  const sources = [['rootfs', rootfs.folder], ['volume', volume.source], ...(prefix ? [['node', prefix]] : [])].flat();
  return {
    file: 'unshare',
    args: [
      '--mount',
      '--propagation=private',
      '--',
      '/bin/sh',
      '-c',
      joinScript,
      'roost-join',
      String(cgroups.length),
      ...cgroups,
      '/bin/sh',
      '-c',
      mountScript,
      'roost-stage',
      String(volume.hostUid),
      String(sources.length / 2),
      ...sources,
      path,
      ...bubblewrapArguments(parts, staging('rootfs'), staging('volume'), prefix && staging('node')),
    ],
  };
}

const staging = (name: 'rootfs' | 'volume' | 'node') => join(stagingFolder, name);

const mountScript = `set -e
${mountImageScript}
uid=$1; count=$2; shift 2
mount -t tmpfs -o mode=0755,size=64k roost-stage ${stagingFolder}
mkdir ${staging('rootfs')} ${staging('volume')} ${staging('node')}
while [ "$count" -gt 0 ]; do
  if [ -f "$2" ]; then mount_image "$2" "${stagingFolder}/$1"; else mount --bind "$2" "${stagingFolder}/$1"; fi
  shift 2; count=$((count - 1))
done
exec setpriv --reuid="$uid" --regid="$uid" --clear-groups --inh-caps=-all -- "$@"`;

function bubblewrapArguments(
  { agentId, rootfs: { daemon }, limits, cgroups }: SandboxParts,
  rootfsFolder: string,
  volume: string,
  nodeFolder: string | undefined,
): string[] {
  return [
    '--unshare-all',
    '--unshare-user',
    '--unshare-cgroup',
    '--hostname',
    'workspace',
    '--uid',
    String(AGENT_UID),
    '--gid',
    String(AGENT_UID),
    '--new-session',
    '--die-with-parent',
    // Bubblewrap's own first process could be opened by every command, and holds the daemon's standard error: ours cannot.
    '--as-pid-1',
    '--cap-drop',
    'ALL',
    '--clearenv',
    ...hostSystem().flatMap((shown) =>
      'link' in shown ? ['--symlink', shown.link, shown.inside] : ['--ro-bind', shown.source, shown.inside],
    ),
    ...ownEtc.flatMap((name) => ['--ro-bind', join(rootfsFolder, 'etc', name), `/etc/${name}`]),
    ...[...rootfsPrograms({ folder: rootfsFolder, daemon }), ...rootfsTrust({ folder: rootfsFolder })].flatMap(
      ({ source, inside }) => ['--ro-bind', source, inside],
    ),
    '--ro-bind',
    join(rootfsFolder, basename(daemon)),
    daemonInside(daemon),
    ...(nodeFolder ? ['--ro-bind', nodeFolder, nodeInside] : []),
    '--proc',
    '/proc',
    '--dev',
    '/dev',
    '--perms',
    '1777',
    '--size',
    String(limits.tmpBytes),
    '--tmpfs',
    '/dev/shm',
    '--perms',
    '1777',
    '--size',
    String(limits.tmpBytes),
    '--tmpfs',
    '/tmp',
    '--bind',
    volume,
    '/workspace',
    '--remount-ro',
    '/dev',
    '--remount-ro',
    '/',
    '--chdir',
    '/workspace',
    '--setenv',
    'UV_THREADPOOL_SIZE',
    '4',
    // So that the host's process list names the agent of a sandbox.
    '--setenv',
    'ROOST_AGENT_ID',
    agentId,
    ...(seccompProgram() === undefined ? [] : ['--seccomp', String(SECCOMP_FD)]),
    '--',
    '/bin/sh',
    '-c',
    limitScript,
    'roost-limit',
    // Files are measured in blocks of 512 bytes.
    String(Math.ceil(limits.volumeBytes / 512)),
    String(limits.openFiles),
    String(cgroups.length > 0 ? 'unlimited' : Math.ceil((limits.memoryBytes + codeRangeBytes) / 1024)),
    ...initCommand(daemon),
  ];
}

/**
 * What Node 24 reserves for compiled code and never fills. It counts as data all the same: without it neither the daemon
 * nor a program of Node's starts below some 600 MiB.
 */
const codeRangeBytes = 512 * 2 ** 20;

/** Limits per process. The data segment is limited only where no control group limits all processes together. */
const limitScript = `ulimit -c 0
ulimit -f "$1"
ulimit -n "$2" 2> /dev/null
ulimit -d "$3"
shift 3
exec "$@"`;
