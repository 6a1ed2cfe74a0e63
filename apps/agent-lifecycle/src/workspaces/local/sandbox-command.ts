import { existsSync, lstatSync, readlinkSync, realpathSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import type { Limits } from '../limits.js';
import { daemonFlags } from './daemon-snapshot.js';
import type { SandboxKit } from './sandbox-kit.js';
import { mountImageScript } from './volume-images.js';

export interface SandboxOptions {
  bwrapPath: string;
  agentId: string;
  kit: SandboxKit;
  /** Host folder of the volume, or, for root, the image of one. */
  volume: string;
  /** Host user the sandbox runs as; undefined when Roost itself is no root, then it is Roost's own. */
  hostUid: number | undefined;
  limits: Limits;
  /** `cgroup.procs` files that the sandbox's first process joins. */
  cgroups: string[];
  /** Handle number of the seccomp program, as the child sees it. */
  seccompFd?: number | undefined;
}

export interface SandboxCommand {
  file: string;
  args: string[];
}

/** User id inside. */
export const AGENT_UID = 1000;

/**
 * The command that starts the daemon in a new sandbox. The sandbox has its own user, mount, process, network, IPC, host
 * name and cgroup namespaces; nothing of the host but a read-only /usr, libraries and certificates; no capability.
 *
 * Root first enters a private mount namespace, shows the volume and the kit there under names any user can walk to
 * (the data folder may lie under /root), and goes on as the workspace's own unprivileged user: not even a hole in the
 * sandbox would then lead to root, or to another agent's files.
 */
export function sandboxCommand(options: SandboxOptions): SandboxCommand {
  const { bwrapPath, kit, volume, hostUid, cgroups } = options;
  const prefix = nodePrefix();
  if (hostUid === undefined) {
    const args = [bwrapPath, ...bubblewrapArguments(options, kit.folder, volume, prefix)];
    return { file: '/bin/sh', args: ['-c', joinScript, 'roost-join', String(cgroups.length), ...cgroups, ...args] };
  }
  const sources = [['kit', kit.folder], ['volume', volume], ...(prefix ? [['node', prefix]] : [])].flat();
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
      stageScript,
      'roost-stage',
      String(hostUid),
      String(sources.length / 2),
      ...sources,
      bwrapPath,
      ...bubblewrapArguments(options, staged('kit'), staged('volume'), prefix && staged('node')),
    ],
  };
}

// Any folder that exists everywhere and can hold no data of ours; the mount is seen by this sandbox's launch alone.
const stage = '/sys';
const staged = (name: 'kit' | 'volume' | 'node') => join(stage, name);

/** Joins the control groups, so that nothing of the sandbox ever ran outside them. */
const joinScript = `set -e
count=$1; shift
while [ "$count" -gt 0 ]; do echo $$ > "$1"; shift; count=$((count - 1)); done
exec "$@"`;

const stageScript = `set -e
${mountImageScript}
uid=$1; count=$2; shift 2
mount -t tmpfs -o mode=0755,size=64k roost-stage ${stage}
mkdir ${staged('kit')} ${staged('volume')} ${staged('node')}
while [ "$count" -gt 0 ]; do
  if [ -f "$2" ]; then mount_image "$2" "${stage}/$1"; else mount --bind "$2" "${stage}/$1"; fi
  shift 2; count=$((count - 1))
done
exec setpriv --reuid="$uid" --regid="$uid" --clear-groups --inh-caps=-all -- "$@"`;

function bubblewrapArguments(
  { agentId, kit: { daemon }, limits, cgroups, seccompFd }: SandboxOptions,
  kit: string,
  volume: string,
  nodeFolder: string | undefined,
): string[] {
  const hostEtc = [
    'ssl',
    'ca-certificates',
    'alternatives',
    'ld.so.cache',
    'localtime',
    'mime.types',
    'magic',
    'python3',
    'terminfo',
  ];
  const daemonInside = `/run/roost/workspace-daemon${extname(daemon)}`;
  const isSnapshot = extname(daemon) === '.blob';
  const ownEtc = ['passwd', 'group', 'hosts', 'hostname', 'nsswitch.conf', 'resolv.conf'];
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
    '--cap-drop',
    'ALL',
    '--clearenv',
    '--ro-bind',
    '/usr',
    '/usr',
    ...['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32'].flatMap(systemFolder),
    ...ownEtc.flatMap((name) => ['--ro-bind', join(kit, 'etc', name), `/etc/${name}`]),
    ...hostEtc.flatMap((name) => (existsSync(`/etc/${name}`) ? ['--ro-bind', `/etc/${name}`, `/etc/${name}`] : [])),
    '--ro-bind',
    join(kit, 'node'),
    '/run/roost/node',
    '--ro-bind',
    join(kit, basename(daemon)),
    daemonInside,
    ...(nodeFolder ? ['--ro-bind', nodeFolder, '/opt/node'] : []),
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
    // So that the host's process list tells whose sandbox it is.
    '--setenv',
    'ROOST_AGENT_ID',
    agentId,
    ...(seccompFd === undefined ? [] : ['--seccomp', String(seccompFd)]),
    '--',
    '/bin/sh',
    '-c',
    limitScript,
    'roost-limit',
    // Files are measured in blocks of 512 bytes.
    String(Math.ceil(limits.volumeBytes / 512)),
    String(limits.openFiles),
    String(cgroups.length > 0 ? 'unlimited' : Math.ceil(limits.memoryBytes / 1024)),
    '/run/roost/node',
    ...daemonFlags,
    ...(isSnapshot ? ['--snapshot-blob'] : []),
    daemonInside,
  ];
}

/** Limits per process. The data segment is limited only where no control group limits all processes together. */
const limitScript = `ulimit -c 0
ulimit -f "$1"
ulimit -n "$2" 2> /dev/null
ulimit -d "$3"
shift 3
exec "$@"`;

/** On merged systems /bin is a link into /usr, elsewhere a folder of its own. */
function systemFolder(name: string): string[] {
  const path = `/${name}`;
  if (!existsSync(path)) return [];
  return lstatSync(path).isSymbolicLink() ? ['--symlink', readlinkSync(path), path] : ['--ro-bind', path, path];
}

/** The folder of a Node that was installed outside the system, e.g. by nvm: agents get the same `node` and `npm`. */
function nodePrefix(): string | undefined {
  const node = realpathSync(process.execPath);
  return node.startsWith('/usr/') ? undefined : dirname(dirname(node));
}

/** The folder, inside, of the programs of such a Node. */
export function nodePrograms(): string | undefined {
  return nodePrefix() && '/opt/node/bin';
}
