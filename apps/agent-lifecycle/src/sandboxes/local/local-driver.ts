import { RoostError } from '#lib/contracts';
import type { NatsConnection } from '@nats-io/transport-node';
import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { answersPing, daemonConfig } from '../daemon.js';
import { unavailable } from '../host-errors.js';
import { limitsOf } from '../limits.js';
import { HostConnections, type HostConnectionsOptions, type SandboxConnection } from '../sandbox-connection.js';
import type { NetworkLogEntry, WorkspaceDriver, WorkspaceSpec, WorkspaceStatus } from '../workspace-driver.js';
import { Cgroups } from './cgroups.js';
import { nodePrograms } from './host-system.js';
import { retainRootfs, removeUnusedRootfs } from './rootfs-retention.js';
import type { NoRuntime, SandboxRuntime } from './runtime.js';
import { makeRootfs, type SandboxRootfs } from './sandbox-rootfs.js';
import { Sandbox } from './sandbox.js';
import { type OpenVolume, Volumes } from './volumes.js';

export interface LocalDriverOptions extends HostConnectionsOptions {
  /** What makes the sandboxes, or why none can be made here. */
  runtime: SandboxRuntime | NoRuntime;
  /** The built workspace-daemon.cjs. */
  daemonPath: string;
  /** For the pings that find out when a workspace is awake. */
  nats: NatsConnection;
  logger: { warn(fields: object, message: string): void; info(fields: object, message: string): void };
}

interface Workspace {
  sandbox: Sandbox;
  connection: SandboxConnection;
  isAwake: boolean;
}

/** What a sandbox is made of. */
interface Parts {
  runtime: SandboxRuntime;
  rootfs: SandboxRootfs;
  volume: OpenVolume;
}

const startTimeoutMs = 30_000;

/** Workspaces in sandboxes on this machine. They end with this process, however it ends; volumes stay. */
export class LocalWorkspaceDriver implements WorkspaceDriver {
  readonly whyNever: string | undefined;
  private readonly volumes: Volumes;
  private readonly cgroups: Cgroups;
  private readonly runtime: SandboxRuntime | NoRuntime;
  private readonly workspaces = new Map<string, Workspace>();
  private readonly starting = new Map<string, Promise<void>>();
  private readonly connections: HostConnections;
  private readonly failures = new Map<string, string>();
  private rootfs: Promise<SandboxRootfs> | undefined;
  private releaseRootfs = () => {};
  private isClosed = false;
  private hasWarnedOfVolumes = false;

  constructor(private readonly options: LocalDriverOptions) {
    this.volumes = new Volumes(options.dataDir);
    this.connections = new HostConnections(options);
    this.cgroups = new Cgroups(createHash('sha256').update(resolve(options.dataDir)).digest('hex').slice(0, 12));
    this.runtime = usable(options.runtime, this.cgroups);
    if ('whyNot' in this.runtime) {
      this.whyNever = `${this.runtime.whyNot}. Nothing runs without a sandbox.`;
      options.logger.warn({ why: this.runtime.whyNot }, 'no workspace can be made');
      return;
    }
    for (const warning of this.runtime.warnings) options.logger.warn({}, warning);
    if (this.cgroups.mode === 'none') {
      options.logger.warn(
        {},
        'control groups are not writable here: memory is limited per process only, processor time not at all',
      );
    }
  }

  async ensure(spec: WorkspaceSpec): Promise<void> {
    const { agentId } = spec;
    await this.connections.setPolicy(agentId, spec.network);
    const running = this.starting.get(agentId);
    if (running) return running;
    if (this.workspaces.get(agentId)?.isAwake && (await answersPing(this.options.nats, agentId))) return;
    // Another call may have begun while this one waited for the ping.
    const start = this.starting.get(agentId) ?? this.start(spec).finally(() => this.starting.delete(agentId));
    this.starting.set(agentId, start);
    return start;
  }

  async sleep(agentId: string): Promise<void> {
    // A start under way would otherwise finish after the caller's `sleep` resolved.
    await this.starting.get(agentId)?.catch(() => undefined);
    await this.stopRemains(agentId);
    this.failures.delete(agentId);
  }

  async remove(agentId: string): Promise<void> {
    await this.sleep(agentId);
    await Promise.all([this.volumes.remove(agentId), this.connections.remove(agentId)]);
  }

  inspect(agentId: string): Promise<WorkspaceStatus> {
    return Promise.resolve(this.statusOf(agentId));
  }

  list(): Promise<{ agentId: string; state: WorkspaceStatus['state'] }[]> {
    return Promise.resolve(this.volumes.list().map((agentId) => ({ agentId, state: this.statusOf(agentId).state })));
  }

  networkLog(agentId: string, limit: number): Promise<NetworkLogEntry[]> {
    return this.connections.networkLog(agentId, limit);
  }

  async close(): Promise<void> {
    this.isClosed = true;
    await Promise.allSettled([...this.starting.values()]);
    await Promise.all([...this.workspaces.keys()].map((agentId) => this.sleep(agentId)));
    await this.connections.close();
    this.releaseRootfs();
  }

  async isolation(): Promise<Record<string, string>> {
    const unbounded = await this.volumes.whyUnbounded();
    return {
      ...('whyNot' in this.runtime ? { runtime: 'none' } : this.runtime.isolation),
      limits: this.cgroups.mode === 'none' ? 'per process' : `cgroup ${this.cgroups.mode}`,
      volumes: unbounded === undefined ? 'image' : 'measured',
      users: process.getuid?.() === 0 ? 'one per workspace' : "Roost's own",
    };
  }

  private statusOf(agentId: string): WorkspaceStatus {
    if (this.starting.has(agentId)) return { state: 'starting' };
    if (this.workspaces.get(agentId)?.isAwake) return { state: 'running' };
    const reason = this.failures.get(agentId);
    return reason === undefined ? { state: 'asleep' } : { state: 'failed', reason };
  }

  private async start(spec: WorkspaceSpec): Promise<void> {
    const { agentId } = spec;
    try {
      await this.stopRemains(agentId);
      const { runtime } = this;
      if ('whyNot' in runtime) throw unavailable(this.whyNever ?? runtime.whyNot);
      const certificate = await this.connections.certificate();
      const [rootfs, volume] = await Promise.all([this.openRootfs(runtime, certificate), this.openVolume(spec)]);
      const sandbox = this.launch(spec, { runtime, rootfs, volume });
      const ended = sandbox.ended.then((reason) => {
        throw unavailable(`the sandbox could not be started: ${reason}`);
      });
      await Promise.race([this.untilAwake(agentId, sandbox), ended]);
      this.cgroups.hasStarted(agentId);
      this.failures.delete(agentId);
    } catch (error) {
      const known =
        error instanceof RoostError
          ? error
          : unavailable(`the workspace could not be made: ${error instanceof Error ? error.message : String(error)}`);
      this.failures.set(agentId, known.message);
      await this.stopRemains(agentId);
      throw known;
    }
  }

  private async openVolume({ agentId, volumeBytes }: WorkspaceSpec): Promise<OpenVolume> {
    const volume = await this.volumes.open(agentId, volumeBytes);
    if (!volume.isBounded && !this.hasWarnedOfVolumes) {
      this.hasWarnedOfVolumes = true;
      const why = (await this.volumes.whyUnbounded()) ?? 'the volume is a folder from before';
      this.options.logger.warn({ why }, 'the size of volumes is measured by the daemon, not bounded by the kernel');
    }
    return volume;
  }

  private openRootfs({ readsPrograms }: SandboxRuntime, certificate: string): Promise<SandboxRootfs> {
    const { dataDir, daemonPath, logger } = this.options;
    this.rootfs ??= makeRootfs({ dataDir, daemonPath, areProgramsReadable: readsPrograms, certificate }).then(
      (rootfs) => {
        if (rootfs.whySlow) logger.warn({ why: rootfs.whySlow }, 'workspaces wake slowly: Node makes no snapshot here');
        this.releaseRootfs = retainRootfs(rootfs.folder, () => (this.rootfs = undefined)); // the next workspace makes it anew
        try {
          removeUnusedRootfs(rootfs.folder);
        } catch (error) {
          logger.warn({ err: error }, 'what sandboxes of earlier versions shared could not be removed');
        }
        return rootfs;
      },
      (error: unknown) => {
        this.rootfs = undefined; // the next workspace tries again
        throw error;
      },
    );
    return this.rootfs;
  }

  private launch(spec: WorkspaceSpec, { runtime, rootfs, volume }: Parts): Sandbox {
    const { logger } = this.options;
    const { agentId } = spec;
    if (this.isClosed) throw unavailable('Roost is shutting down');
    const limits = limitsOf(spec);
    const cgroups = this.cgroups.prepare(agentId, runtime.hostLimits(limits));
    const command = runtime.command({ agentId, rootfs, volume, limits, cgroups });
    const config = { ...daemonConfig(spec, limits, { programs: nodePrograms() }), isVolumeBounded: volume.isBounded };
    const sandbox = new Sandbox(command, config, (line) =>
      logger.warn({ agentId, sandboxOutput: line }, 'output of a sandbox'),
    );
    const connection = this.connections.open(agentId, sandbox.stream);
    const workspace: Workspace = { sandbox, connection, isAwake: false };
    this.workspaces.set(agentId, workspace);
    void sandbox.ended.then((why) => {
      connection.close();
      this.cgroups.release(agentId);
      if (this.workspaces.get(agentId) !== workspace) return;
      this.workspaces.delete(agentId);
      if (workspace.isAwake) this.failures.set(agentId, why);
      logger.info({ agentId, why }, 'the workspace ended');
    });
    return sandbox;
  }

  private async untilAwake(agentId: string, sandbox: Sandbox): Promise<void> {
    for (const deadline = Date.now() + startTimeoutMs; !sandbox.hasEnded;) {
      if (await answersPing(this.options.nats, agentId)) {
        const workspace = this.workspaces.get(agentId);
        if (workspace) workspace.isAwake = true;
        return;
      }
      // After a look: one that came up while this process was held up is there.
      if (Date.now() >= deadline)
        throw unavailable(`the workspace did not answer within ${startTimeoutMs / 1_000} seconds`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  private async stopRemains(agentId: string): Promise<void> {
    const workspace = this.workspaces.get(agentId);
    if (!workspace) return;
    workspace.isAwake = false; // what ends now is meant to
    workspace.connection.close();
    await workspace.sandbox.stop();
    this.workspaces.delete(agentId);
  }
}

/** A sandbox whose memory nothing would limit is refused. */
function usable(runtime: SandboxRuntime | NoRuntime, { mode }: Cgroups): SandboxRuntime | NoRuntime {
  if ('whyNot' in runtime || !runtime.needsCgroups || mode !== 'none') return runtime;
  const name = runtime.isolation.runtime;
  return {
    whyNot: `control groups are not writable here, and nothing else holds ${name} to its memory: let Roost write them`,
  };
}
