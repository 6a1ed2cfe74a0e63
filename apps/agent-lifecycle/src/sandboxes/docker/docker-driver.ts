import type { RoostError } from '#lib/contracts';
import type { NatsConnection } from '@nats-io/transport-node';
import { answersPing, daemonConfig } from '../daemon.js';
import { statusOf, unavailable } from '../host-errors.js';
import { type Limits, limitsOf } from '../limits.js';
import { HostConnections, type HostConnectionsOptions, type SandboxConnection } from '../sandbox-connection.js';
import { SandboxOutput } from '../sandbox-output.js';
import type { NetworkLogEntry, WorkspaceDriver, WorkspaceSpec, WorkspaceStatus } from '../workspace-driver.js';
import { ContainerConnection } from './container-connection.js';
import { containerOptions } from './container-options.js';
import { unavailableBecause, whyEnded } from './docker-errors.js';
import { DockerHost } from './docker-host.js';
import { joinContainer } from './join-container.js';

export interface DockerDriverOptions extends HostConnectionsOptions {
  /** `unix:///var/run/docker.sock` or `tcp://host:port`. */
  host: string;
  /** Distinguishes the containers of this Roost from those of others on the same Docker host. */
  instance: string;
  /** The workspace image; it holds the daemon. */
  image: string;
  runtime?: string | undefined;
  /** Why no workspace can be made at all, if so. */
  whyNever?: string | undefined;
  nats: NatsConnection;
  logger: { warn(fields: object, message: string): void; info(fields: object, message: string): void };
}

interface Workspace {
  id: string;
  connection: SandboxConnection;
  /** What the connection runs over: the container's standard input and output. */
  streams: ContainerConnection;
  /** Resolves when the container is gone, with the reason; undefined: somebody else removed it. */
  ended: Promise<string | undefined>;
}

const startTimeoutMs = 30_000;

/**
 * Workspaces as containers of a Docker host, one per agent, each with a volume that outlives it. What there is, is
 * asked of Docker each time: a restarted service finds everything again by its labels. A container's streams are
 * attached to this process; when the process ends, Docker closes them and the workspace ends.
 *
 * Several replicas of the service may work on the same workspaces. The container's name makes it unique: the second to
 * make it waits for the first one's (./join-container.ts), and removes a container by its id alone, never the next one.
 */
export class DockerWorkspaceDriver implements WorkspaceDriver {
  readonly whyNever: string | undefined;
  private readonly host: DockerHost;
  private readonly connections: HostConnections;
  private readonly workspaces = new Map<string, Workspace>();
  private readonly starting = new Map<string, Promise<void>>();
  private readonly failures = new Map<string, string>();
  /** Containers that had ended, not ours, when they were listed last. */
  private remains = new Set<string>();
  private processors: Promise<number> | undefined;
  private isClosed = false;

  constructor(private readonly options: DockerDriverOptions) {
    this.whyNever = options.whyNever;
    this.host = new DockerHost(options.host, options.instance);
    this.connections = new HostConnections(options);
  }

  async ensure(spec: WorkspaceSpec): Promise<void> {
    const { agentId } = spec;
    await this.connections.setPolicy(agentId, spec.network);
    const underWay = this.starting.get(agentId);
    if (underWay) return underWay;
    if (this.workspaces.has(agentId) && (await answersPing(this.options.nats, agentId))) return;
    // Another call may have begun while this one waited for the ping.
    const start = this.starting.get(agentId) ?? this.start(spec).finally(() => this.starting.delete(agentId));
    this.starting.set(agentId, start);
    return start;
  }

  async sleep(agentId: string): Promise<void> {
    // A start under way would otherwise finish after the caller's `sleep` resolved.
    await this.starting.get(agentId)?.catch(() => undefined);
    await this.endOwn(agentId);
    await this.host.removeContainer(agentId);
    this.failures.delete(agentId);
  }

  async remove(agentId: string): Promise<void> {
    await this.sleep(agentId);
    await Promise.all([this.host.removeVolume(agentId), this.connections.remove(agentId)]);
  }

  async inspect(agentId: string): Promise<WorkspaceStatus> {
    if (this.starting.has(agentId)) return { state: 'starting' };
    try {
      if ((await this.host.find(agentId))?.State.Running) return this.seenRunning(agentId);
    } catch (error) {
      return { state: 'failed', reason: this.reasonOf(error, agentId).message };
    }
    const reason = this.failures.get(agentId);
    return reason === undefined ? { state: 'asleep' } : { state: 'failed', reason };
  }

  async list(): Promise<{ agentId: string; state: WorkspaceStatus['state'] }[]> {
    const { volumes, containers } = await this.host.list();
    await this.removeRemains(containers);
    const stateOf = (agentId: string): WorkspaceStatus['state'] => {
      if (this.starting.has(agentId)) return 'starting';
      if (containers.get(agentId)?.state === 'running') return this.seenRunning(agentId).state;
      return this.failures.has(agentId) ? 'failed' : 'asleep';
    };
    return volumes.map((agentId) => ({ agentId, state: stateOf(agentId) }));
  }

  networkLog(agentId: string, limit: number): Promise<NetworkLogEntry[]> {
    return this.connections.networkLog(agentId, limit);
  }

  async isolation(): Promise<Record<string, string>> {
    const { host, runtime } = this.options;
    return {
      runtime: await this.host.version().then(
        (version) => `docker ${version}${runtime ? `, ${runtime}` : ''}`,
        () => `docker, which does not answer at ${host}`,
      ),
      limits: 'control groups by docker',
      volumes: 'measured',
      users: 'one for all workspaces',
      syscalls: 'filtered',
    };
  }

  async close(): Promise<void> {
    this.isClosed = true;
    await Promise.allSettled([...this.starting.values()]);
    await Promise.allSettled([...this.workspaces.keys()].map((agentId) => this.endOwn(agentId)));
    await this.connections.close();
  }

  /** Whoever woke it: what went wrong before is over. */
  private seenRunning(agentId: string): { state: 'running' } {
    this.failures.delete(agentId);
    return { state: 'running' };
  }

  private async start(spec: WorkspaceSpec): Promise<void> {
    const { agentId } = spec;
    try {
      if (this.whyNever !== undefined) throw unavailable(this.whyNever);
      await this.endOwn(agentId);
      for (const deadline = Date.now() + startTimeoutMs; !(await this.tryStart(spec));) {
        if (Date.now() > deadline) throw unavailable('its container is taken away each time it is made');
      }
      this.failures.delete(agentId);
    } catch (error) {
      const known = this.reasonOf(error, agentId);
      // What ended the container is a better reason than that its streams broke.
      if (!this.failures.has(agentId)) this.failures.set(agentId, known.message);
      await this.endOwn(agentId).catch(() => undefined); // Docker may be gone; what is left is removed when it is back
      this.failures.set(agentId, known.message);
      throw known;
    }
  }

  /** Whether the workspace answers now. False: another replica, or somebody else, removed what was there. */
  private async tryStart(spec: WorkspaceSpec): Promise<boolean> {
    const { agentId } = spec;
    if (this.isClosed) throw unavailable('Roost is shutting down');
    const found = await this.host.find(agentId);
    if (found) return joinContainer({ agentId, id: found.Id, host: this.host, nats: this.options.nats });
    await this.host.openVolume(agentId);
    const workspace = await this.launch(spec);
    if (!workspace) return false;
    const ended = workspace.ended.then((reason) => {
      if (reason === undefined) return false;
      throw unavailable(`the workspace ended as it started: ${reason}`);
    });
    return Promise.race([this.untilAwake(agentId, workspace, ended), ended]);
  }

  /** Undefined when another replica was quicker, or took it away. */
  private async launch(spec: WorkspaceSpec): Promise<Workspace | undefined> {
    const { agentId } = spec;
    const { image, runtime } = this.options;
    const limits = limitsOf(spec);
    const certificate = await this.connections.certificate();
    const processors = await (this.processors ??= this.host.processors());
    const made = await this.host.create(
      agentId,
      containerOptions({
        agentId,
        name: this.host.nameOf(agentId),
        image,
        runtime,
        labels: this.host.labelsOf(agentId),
        limits: { ...limits, cpuMillis: Math.min(limits.cpuMillis, processors * 1_000) },
      }),
    );
    if (!made) return undefined;
    const { id, container } = made;
    try {
      const attached = await container.attach({ stream: true, stdin: true, stdout: true, stderr: true, hijack: true });
      const workspace = this.hold({ spec, limits, certificate }, id, attached);
      await container.start();
      return workspace;
    } catch (error) {
      await this.endOwn(agentId);
      await this.host.removeContainer(agentId, id);
      // It is gone, or on its way.
      if (statusOf(error) === 404 || statusOf(error) === 409) return undefined;
      throw error;
    }
  }

  /** Serves the container over its streams until they end. */
  private hold(
    { spec, limits, certificate }: { spec: WorkspaceSpec; limits: Limits; certificate: string },
    id: string,
    attached: NodeJS.ReadWriteStream,
  ): Workspace {
    const { agentId } = spec;
    const output = new SandboxOutput((line) =>
      this.options.logger.warn({ agentId, sandboxOutput: line }, 'output of a sandbox'),
    );
    const streams = new ContainerConnection(attached, output);
    const config = { ...daemonConfig(spec, limits, { certificate }), isVolumeBounded: false };
    streams.write(`${JSON.stringify(config)}\n`);
    const closed = new Promise<void>((resolve) => streams.once('close', resolve));
    const workspace: Workspace = {
      id,
      streams,
      connection: this.connections.open(agentId, streams),
      ended: closed.then(() => this.cleanUp(agentId, workspace, () => output.lastLine)),
    };
    this.workspaces.set(agentId, workspace);
    return workspace;
  }

  /** After the streams broke: records why, and removes the container unless somebody does so already. */
  private async cleanUp(agentId: string, workspace: Workspace, lastLine: () => string): Promise<string | undefined> {
    if (this.workspaces.get(agentId) !== workspace) return undefined;
    let why: string | undefined;
    try {
      const facts = await this.host.find(agentId);
      // One that is gone was put to sleep by another replica, or by hand: what crashed is still there.
      if (facts?.Id === workspace.id && facts.State.Status !== 'removing') {
        why = whyEnded(facts, lastLine());
        if (this.workspaces.get(agentId) === workspace) {
          this.failures.set(agentId, why);
          await this.host.removeContainer(agentId, workspace.id);
        }
      }
    } catch (error) {
      why = this.reasonOf(error, agentId).message;
    }
    workspace.connection.close();
    if (this.workspaces.get(agentId) === workspace) this.workspaces.delete(agentId);
    this.options.logger.info({ agentId, why: why ?? 'somebody else removed its container' }, 'the workspace ended');
    return why;
  }

  /** Ends the container that we hold, if so. */
  private async endOwn(agentId: string): Promise<void> {
    const workspace = this.workspaces.get(agentId);
    if (!workspace) return;
    this.workspaces.delete(agentId);
    workspace.connection.close();
    workspace.streams.destroy();
    await this.host.removeContainer(agentId, workspace.id);
  }

  /** Containers that ended and were left: their replica would have removed them since the last listing. */
  private async removeRemains(containers: Map<string, { id: string; state: string }>): Promise<void> {
    const isOurs = (agentId: string) => this.workspaces.has(agentId) || this.starting.has(agentId);
    const hasEnded = (state: string) => state === 'exited' || state === 'dead';
    const remains = [...containers].filter(([agentId, { state }]) => hasEnded(state) && !isOurs(agentId));
    for (const [agentId, { id }] of remains) if (this.remains.has(id)) await this.host.removeContainer(agentId, id);
    this.remains = new Set(remains.map(([, { id }]) => id));
  }

  private async untilAwake(agentId: string, workspace: Workspace, ended: Promise<boolean>): Promise<boolean> {
    for (const deadline = Date.now() + startTimeoutMs; Date.now() < deadline;) {
      if (await answersPing(this.options.nats, agentId)) return true;
      if (this.workspaces.get(agentId) !== workspace) return ended;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw unavailable(
      `the workspace did not answer within ${startTimeoutMs / 1_000} seconds: is ROOST_WORKSPACE_IMAGE (${this.options.image}) Roost's own, of this version?`,
    );
  }

  private reasonOf(error: unknown, agentId: string): RoostError {
    const { image, host } = this.options;
    return unavailableBecause(error, { image, host, name: this.host.nameOf(agentId) });
  }
}
