import type { ContainerCreateOptions } from 'dockerode';
import type { Limits } from '../limits.js';
import { seccompProfile } from '../seccomp-profile.js';

/** On every container and volume that is ours: the agent's id, and which Roost of this Docker host it belongs to. */
export const AGENT_LABEL = 'io.roost.agent';
export const INSTANCE_LABEL = 'io.roost.instance';

export interface ContainerInput {
  agentId: string;
  /** Also the volume's. */
  name: string;
  image: string;
  labels: Record<string, string>;
  limits: Limits;
  /** An OCI runtime other than Docker's default, e.g. gVisor's `runsc`. */
  runtime?: string | undefined;
}

/**
 * An agent's container: the image's daemon as uid 1000 with no capability, no way to gain any, a system call filter, a
 * read-only root, no network but its own loopback, and its volume as the only thing that lasts.
 */
export function containerOptions({
  agentId,
  name,
  image,
  labels,
  limits,
  runtime,
}: ContainerInput): ContainerCreateOptions {
  const scratch = `rw,nosuid,nodev,exec,mode=1777,size=${limits.tmpBytes}`;
  return {
    name,
    Image: image,
    Hostname: 'workspace',
    User: '1000:1000',
    WorkingDir: '/workspace',
    // So that the host's process list names the agent of a sandbox.
    Env: ['UV_THREADPOOL_SIZE=4', `ROOST_AGENT_ID=${agentId}`],
    Labels: labels,
    // Input and output are the connection to the host; when this process ends, Docker closes the input and the daemon ends.
    OpenStdin: true,
    StdinOnce: true,
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    Tty: false,
    NetworkDisabled: true,
    HostConfig: {
      ...(runtime ? { Runtime: runtime } : {}),
      NetworkMode: 'none',
      // Docker would let everybody listen on the system's ports.
      Sysctls: { 'net.ipv4.ip_unprivileged_port_start': '1024' },
      IpcMode: 'private',
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges', `seccomp=${JSON.stringify(seccompProfile())}`],
      ReadonlyRootfs: true,
      Privileged: false,
      // The bus runs over the output: nothing of it may get into a log.
      LogConfig: { Type: 'none', Config: {} },
      RestartPolicy: { Name: 'no' },
      Memory: limits.memoryBytes,
      MemorySwap: limits.memoryBytes,
      NanoCpus: limits.cpuMillis * 1_000_000,
      PidsLimit: limits.processes,
      ShmSize: limits.tmpBytes,
      Tmpfs: { '/tmp': scratch },
      Ulimits: [
        { Name: 'core', Soft: 0, Hard: 0 },
        { Name: 'nofile', Soft: limits.openFiles, Hard: limits.openFiles },
        { Name: 'fsize', Soft: limits.volumeBytes, Hard: limits.volumeBytes },
      ],
      Mounts: [{ Type: 'volume', Source: name, Target: '/workspace' }],
      MaskedPaths: maskedPaths,
      ReadonlyPaths: ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'],
    },
  };
}

/**
 * Docker's own, and what describes the host or is of no use to an agent. Files that only root may read are left: a mask
 * would let everybody open them, though they would read nothing.
 */
const maskedPaths = [
  'acpi',
  'asound',
  'interrupts',
  'kcore',
  'keys',
  'latency_stats',
  'sched_debug',
  'scsi',
  'timer_list',
]
  .map((name) => `/proc/${name}`)
  .concat('/sys', '/var/lib');
