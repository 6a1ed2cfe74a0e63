import { basename, join } from 'node:path';
import type { Limits } from '../limits.js';
import { hostSystem, nodeInside, nodePrefix, type Shown } from './host-system.js';
import { goferUid, runscBundle } from './runsc-bundle.js';
import {
  AGENT_UID,
  joinScript,
  type SandboxCommand,
  type SandboxParts,
  type SandboxRuntime,
  stagingFolder,
} from './runtime.js';
import { daemonInside, initCommand, rootfsPrograms, rootfsTrust, ownEtc } from './sandbox-rootfs.js';
import { mountImageScript } from './volume-images.js';

/** A runsc that was seen to run a guest here. */
export interface Runsc {
  path: string;
  /** How gVisor gets hold of the guest's system calls. */
  platform: string;
  warnings: string[];
}

/** gVisor's own memory and threads, and a thread and a process of the host's for each of the agent's. */
const ownMemoryBytes = 96 * 2 ** 20;
const ownProcesses = 256;
const perProcess = 3;

/**
 * Sandboxes by gVisor: the agent's programs meet a kernel in user space, itself confined to namespaces and behind a filter,
 * and never the host's. For root only: gVisor needs more than one host user per sandbox.
 */
export function runsc(found: Runsc): SandboxRuntime {
  return {
    readsPrograms: true,
    needsCgroups: true,
    isolation: { runtime: `gVisor (${found.platform})`, syscalls: "answered by gVisor's own kernel, filtered" },
    warnings: found.warnings,
    hostLimits: (limits) => ({
      ...limits,
      memoryBytes: limits.memoryBytes + ownMemoryBytes,
      processes: limits.processes * perProcess + ownProcesses,
    }),
    command: (parts) => command(found, parts),
  };
}

function command(found: Runsc, { agentId, rootfs, volume, limits, cgroups }: SandboxParts): SandboxCommand {
  if (volume.hostUid === undefined) throw new Error('gVisor needs Roost to run as root');
  const prefix = nodePrefix();
  return runscCommand(found, {
    name: agentId,
    shown: [
      ...hostSystem(),
      ...ownEtc.map((name) => ({ inside: `/etc/${name}`, source: join(rootfs.folder, 'etc', name) })),
      ...rootfsPrograms(rootfs),
      ...rootfsTrust(rootfs),
      { inside: daemonInside(rootfs.daemon), source: join(rootfs.folder, basename(rootfs.daemon)) },
      ...(prefix ? [{ inside: nodeInside, source: prefix }] : []),
    ],
    volume: volume.source,
    hostUid: volume.hostUid,
    limits,
    cgroups,
    environment: { UV_THREADPOOL_SIZE: '4', ROOST_AGENT_ID: agentId },
    args: initCommand(rootfs.daemon, '--stdio', `--user=${AGENT_UID}`),
  });
}

export interface Guest {
  /** Seen in the host's process list. */
  name: string;
  shown: Shown[];
  /** Host folder of the volume, or the image of one, and the host user that it belongs to. */
  volume: string;
  hostUid: number;
  limits: Limits;
  cgroups: string[];
  environment: Record<string, string>;
  args: string[];
}

/**
 * The command that runs a guest in gVisor, its standard input and output on handle 3.
 *
 * What the guest shall see is laid out in a private mount namespace, so that one mount leads there. Network and process
 * namespaces around gVisor's own keep its control socket to this launch, and make the kernel end all of it together.
 */
export function runscCommand({ path, platform }: Pick<Runsc, 'path' | 'platform'>, guest: Guest): SandboxCommand {
  const config = runscBundle({
    ...guest,
    rootFolder: `${stagingFolder}/root`,
    volumeFolder: `${stagingFolder}/volume`,
    closedFile: `${stagingFolder}/closed`,
  });
  const shown = guest.shown.flatMap((each) =>
    'link' in each ? ['link', each.inside, each.link] : ['bind', each.inside, each.source],
  );
  return {
    file: '/bin/sh',
    args: [
      ...['-c', joinScript, 'roost-join', String(guest.cgroups.length), ...guest.cgroups],
      // Ends with this process, and so does all that it started.
      ...['setpriv', '--pdeathsig=KILL', '--'],
      ...['unshare', '--mount', '--propagation=private', '--net', '--pid', '--fork', '--kill-child', '--mount-proc'],
      ...[
        '--',
        '/bin/sh',
        '-c',
        mountScript,
        'roost-stage',
        JSON.stringify(config),
        guest.volume,
        String(goferUid(guest.hostUid)),
      ],
      ...[String(guest.shown.length), ...shown],
      ...[path, `--root=${stagingFolder}/state`, `--platform=${platform}`, '--network=none', '--ignore-cgroups'],
      ...['--oci-seccomp', 'run', `--bundle=${stagingFolder}`, guest.name],
    ],
    configuration: 'first line',
  };
}

const mountScript = `set -e
${mountImageScript}
config=$1; volume=$2; gofer=$3; count=$4; shift 4
mount -t tmpfs -o mode=0755,size=1m roost-stage ${stagingFolder}
cd ${stagingFolder}
mkdir volume state root
if [ -f "$volume" ]; then mount_image "$volume" volume; else mount --bind "$volume" volume; fi
printf %s "$config" > config.json
: > closed; chmod 0 closed; chown "$gofer:$gofer" closed
cd root
mkdir dev etc opt proc run run/roost sys tmp workspace
: > dev/fuse
while [ "$count" -gt 0 ]; do
  inside=.$2
  if [ "$1" = link ]; then ln -s "$3" "$inside"
  elif [ -d "$3" ]; then mkdir -p "$inside"; mount --rbind "$3" "$inside"
  # What is there already is the host's: it is covered, and never opened to write.
  elif [ -e "$inside" ]; then mount --bind "$3" "$inside"
  else : > "$inside"; mount --bind "$3" "$inside"; fi
  shift 3; count=$((count - 1))
done
exec "$@" <&3 >&3 3>&-`;
