import { workspaceInboxPrefix } from '#lib/bus/credentials';
import type { RoostError } from '#lib/contracts';
import type { NatsConnection } from '@nats-io/transport-node';
import { answersPing } from '../answers-ping.js';
import { HostLines, type HostLinesOptions } from '../host-lines.js';
import { limitsOf } from '../limits.js';
import { commandEnvironment } from '../command-environment.js';
import type { SandboxLink } from '../sandbox-link.js';
import { unavailable } from '../unavailable.js';
import type { NetworkLogEntry, WorkspaceDriver, WorkspaceSpec, WorkspaceStatus } from '../workspace-driver.js';
import { ContainerLine } from './container-line.js';
import { containerOptions } from './container-options.js';
import { statusOf, unavailableBecause } from './docker-errors.js';
import { type ContainerFacts, DockerHost } from './docker-host.js';

export interface DockerDriverOptions extends HostLinesOptions {
  /** `unix:///var/run/docker.sock` or `tcp://host:port`. */
  host: string;
  /** Tells the containers of this Roost from those of others on the same Docker host. */
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
  link: SandboxLink;
  line: ContainerLine;
  /** Resolves when the container is gone, with the reason. */
  ended: Promise<string>;
}

const startTimeoutMs = 30_000;

/**
 * Workspaces as containers of a Docker host, one per agent, each with a volume that outlives it. What there is, is
 * asked of Docker each time: a restarted service finds everything again by its labels. A container's line hangs on this
 * process; when the process goes, Docker closes it and the workspace ends.
 */
export class DockerWorkspaceDriver implements WorkspaceDriver {
  readonly whyNever: string | undefined;
  private readonly host: DockerHost;
  private readonly lines: HostLines;
  private readonly workspaces = new Map<string, Workspace>();
  private readonly starting = new Map<string, Promise<void>>();
  private readonly failures = new Map<string, string>();
  private processors: Promise<number> | undefined;
  private isClosed = false;

  constructor(private readonly options: DockerDriverOptions) {
    this.whyNever = options.whyNever;
    this.host = new DockerHost(options.host, options.instance);
    this.lines = new HostLines(options);
  }

  async ensure(spec: WorkspaceSpec): Promise<void> {
    const { agentId } = spec;
    this.lines.setPolicy(agentId, spec.network);
    const underWay = this.starting.get(agentId);
    if (underWay) return underWay;
    if (this.workspaces.has(agentId) && (await answersPing(this.options.nats, agentId))) return;
    // Another call may have begun while this one waited for the ping.
    const start = this.starting.get(agentId) ?? this.start(spec).finally(() => this.starting.delete(agentId));
    this.starting.set(agentId, start);
    return start;
  }

  async sleep(agentId: string): Promise<void> {
    // A start under way would otherwise finish after the caller was told that the workspace sleeps.
    await this.starting.get(agentId)?.catch(() => undefined);
    await this.end(agentId);
  }

  async remove(agentId: string): Promise<void> {
    await this.sleep(agentId);
    this.failures.delete(agentId);
    await Promise.all([this.host.removeVolume(agentId), this.lines.remove(agentId)]);
  }

  async inspect(agentId: string): Promise<WorkspaceStatus> {
    if (this.starting.has(agentId)) return { state: 'starting' };
    try {
      if ((await this.host.find(agentId))?.State.Running) return { state: 'running' };
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
      if (containers.get(agentId) === 'running') return 'running';
      return this.failures.has(agentId) ? 'failed' : 'asleep';
    };
    return volumes.map((agentId) => ({ agentId, state: stateOf(agentId) }));
  }

  networkLog(agentId: string, limit: number): Promise<NetworkLogEntry[]> {
    return this.lines.networkLog(agentId, limit);
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
    await Promise.allSettled([...this.workspaces.keys()].map((agentId) => this.end(agentId)));
  }

  private async start(spec: WorkspaceSpec): Promise<void> {
    const { agentId } = spec;
    try {
      if (this.whyNever !== undefined) throw unavailable(this.whyNever);
      if (this.isClosed) throw unavailable('Roost is shutting down');
      if (await this.isAnothers(agentId)) return;
      await this.end(agentId);
      await this.host.openVolume(agentId);
      const workspace = await this.launch(spec);
      if (workspace) {
        const ended = workspace.ended.then((reason) => {
          throw unavailable(`the workspace ended as it started: ${reason}`);
        });
        await Promise.race([this.untilAwake(agentId), ended]);
      } else await this.untilAwake(agentId);
      this.failures.delete(agentId);
    } catch (error) {
      const known = this.reasonOf(error, agentId);
      // What the container died of says more than that its line broke.
      if (!this.failures.has(agentId)) this.failures.set(agentId, known.message);
      await this.end(agentId).catch(() => undefined); // Docker may be gone; what is left is removed when it is back
      this.failures.set(agentId, known.message);
      throw known;
    }
  }

  /** Whether another process of this service holds the workspace, and it answers. */
  private async isAnothers(agentId: string): Promise<boolean> {
    if (this.workspaces.has(agentId)) return false;
    const found = await this.host.find(agentId);
    return found?.State.Running === true && (await answersPing(this.options.nats, agentId));
  }

  /** Undefined when another process of this service was quicker. */
  private async launch(spec: WorkspaceSpec): Promise<Workspace | undefined> {
    const { agentId } = spec;
    const { image, runtime, logger } = this.options;
    const limits = limitsOf(spec);
    const processors = await (this.processors ??= this.host.processors());
    const name = this.host.nameOf(agentId);
    const container = await this.host
      .create(
        agentId,
        containerOptions({
          agentId,
          name,
          image,
          runtime,
          labels: this.host.labelsOf(agentId),
          limits: { ...limits, cpuMillis: Math.min(limits.cpuMillis, processors * 1_000) },
        }),
      )
      .catch(async (error: unknown) => {
        if (statusOf(error) === 409 && (await this.host.find(agentId))) return undefined;
        throw error;
      });
    if (!container) return undefined;
    const attached = await container.attach({ stream: true, stdin: true, stdout: true, stderr: true, hijack: true });
    let lastWords = '';
    const line = new ContainerLine(attached, (words) => {
      lastWords = words.slice(0, 500);
      logger.warn({ agentId, line: words }, 'workspace says');
    });
    const config = {
      agentId,
      maxProcesses: Math.floor(limits.processes * 0.8),
      volumeBytes: limits.volumeBytes,
      isVolumeBounded: false,
      env: commandEnvironment(spec.env),
      inboxPrefix: workspaceInboxPrefix(agentId),
    };
    line.write(`${JSON.stringify(config)}\n`);
    const closed = new Promise<void>((resolve) => line.once('close', resolve));
    const workspace: Workspace = {
      line,
      link: this.lines.open(agentId, line),
      ended: closed.then(() => this.cleanUp(agentId, workspace, () => lastWords)),
    };
    this.workspaces.set(agentId, workspace);
    await container.start();
    return workspace;
  }

  /** After the line broke: notes why, and removes the container unless somebody does so already. */
  private async cleanUp(agentId: string, workspace: Workspace, lastWords: () => string): Promise<string> {
    if (this.workspaces.get(agentId) !== workspace) return 'it was put to sleep';
    let why: string;
    try {
      const facts = await this.host.find(agentId);
      why = whyEnded(facts, lastWords());
      if (facts?.State.OOMKilled) this.failures.set(agentId, why);
      if (this.workspaces.get(agentId) === workspace) await this.host.removeContainer(agentId);
    } catch (error) {
      why = this.reasonOf(error, agentId).message;
    }
    workspace.link.close();
    if (this.workspaces.get(agentId) === workspace) this.workspaces.delete(agentId);
    this.options.logger.info({ agentId, why }, 'the workspace ended');
    return why;
  }

  private async end(agentId: string): Promise<void> {
    const workspace = this.workspaces.get(agentId);
    this.workspaces.delete(agentId);
    workspace?.link.close();
    workspace?.line.destroy();
    await this.host.removeContainer(agentId);
  }

  /** Containers that ended while no process of ours held them. */
  private async removeRemains(containers: Map<string, string>): Promise<void> {
    for (const [agentId, state] of containers) {
      const isHeld = this.workspaces.has(agentId) || this.starting.has(agentId);
      if (!isHeld && (state === 'exited' || state === 'dead')) await this.host.removeContainer(agentId);
    }
  }

  private async untilAwake(agentId: string): Promise<void> {
    for (const deadline = Date.now() + startTimeoutMs; Date.now() < deadline;) {
      if (await answersPing(this.options.nats, agentId)) return;
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

function whyEnded(facts: ContainerFacts | undefined, lastWords: string): string {
  if (!facts) return 'its container was removed by somebody else';
  if (facts.State.OOMKilled) {
    const mebibytes = Math.round((facts.HostConfig.Memory ?? 0) / 2 ** 20);
    return `it used up its memory (${mebibytes}Mi) and was ended: raise configuration.resources.memory, or let it do less at once`;
  }
  return `${lastWords || facts.State.Error || 'no message'} (exit code ${facts.State.ExitCode})`;
}
