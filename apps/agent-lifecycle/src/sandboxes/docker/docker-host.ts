import Docker from 'dockerode';
import { AGENT_LABEL, INSTANCE_LABEL } from './container-options.js';
import { orUndefined, statusOf } from '../host-errors.js';
import { nameTaken } from './docker-errors.js';

/** What Docker knows of a container. */
export type ContainerFacts = Docker.ContainerInspectInfo;

const goneTimeoutMs = 10_000;

/** The containers and volumes of one Roost on a Docker host: named and labelled, so that nobody else's are touched. */
export class DockerHost {
  private readonly docker: Docker;

  constructor(
    host: string,
    private readonly instance: string,
  ) {
    this.docker = new Docker(addressOf(host));
  }

  nameOf(agentId: string): string {
    if (!/^[\w-]{1,64}$/.test(agentId)) throw new TypeError(`not an agent id: ${JSON.stringify(agentId)}`);
    return `${this.instance}-agent-${agentId}`;
  }

  labelsOf(agentId: string): Record<string, string> {
    return { [AGENT_LABEL]: agentId, [INSTANCE_LABEL]: this.instance };
  }

  /** Undefined when there is none. Errors: AGENT_UNAVAILABLE when the name is somebody else's. */
  async find(agentId: string): Promise<ContainerFacts | undefined> {
    const name = this.nameOf(agentId);
    const facts = await orUndefined(this.docker.getContainer(name).inspect());
    if (facts && facts.Config.Labels?.[INSTANCE_LABEL] !== this.instance) throw nameTaken('container', name);
    return facts;
  }

  /**
   * Makes a container; its id, and the container by its name: a guard between us and Docker can then find out
   * whose it is. Undefined when there is one already.
   */
  async create(
    agentId: string,
    options: Docker.ContainerCreateOptions,
  ): Promise<{ id: string; container: Docker.Container } | undefined> {
    try {
      const { id } = await this.docker.createContainer(options);
      return { id, container: this.docker.getContainer(this.nameOf(agentId)) };
    } catch (error) {
      // Whose it is, `find` checks.
      if (statusOf(error) === 409) return undefined;
      throw error;
    }
  }

  /**
   * Ends a container, whatever it does, and resolves when it is gone. It is that of `id`, or the one there is now: the
   * next one, which another replica may have made already, stays. Idempotent.
   */
  async removeContainer(agentId: string, id?: string): Promise<void> {
    let ended = id;
    for (const deadline = Date.now() + goneTimeoutMs; Date.now() < deadline;) {
      const found = await this.find(agentId);
      if (!found || (ended !== undefined && found.Id !== ended)) return;
      ended = found.Id;
      await this.docker
        .getContainer(ended)
        .remove({ force: true, v: false })
        .catch((error: unknown) => {
          // Somebody else removes it at this moment.
          if (statusOf(error) !== 404 && statusOf(error) !== 409) throw error;
        });
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`the container ${this.nameOf(agentId)} does not end`);
  }

  /** The agent's volume, made when it is not there. */
  async openVolume(agentId: string): Promise<void> {
    const name = this.nameOf(agentId);
    const found = await orUndefined(this.docker.getVolume(name).inspect());
    if (!found) await this.docker.createVolume({ Name: name, Labels: this.labelsOf(agentId) });
    else if (found.Labels?.[INSTANCE_LABEL] !== this.instance) throw nameTaken('volume', name);
  }

  async removeVolume(agentId: string): Promise<void> {
    const volume = this.docker.getVolume(this.nameOf(agentId));
    const found = await orUndefined(volume.inspect());
    if (found?.Labels?.[INSTANCE_LABEL] === this.instance) await orUndefined(volume.remove());
  }

  /** Ids of the agents that have a volume, and of those that have a container, with its id and state. */
  async list(): Promise<{ volumes: string[]; containers: Map<string, { id: string; state: string }> }> {
    const filters = { label: [`${INSTANCE_LABEL}=${this.instance}`] };
    const [{ Volumes }, containers] = await Promise.all([
      this.docker.listVolumes({ filters: JSON.stringify(filters) }),
      this.docker.listContainers({ all: true, filters: JSON.stringify(filters) }),
    ]);
    return {
      volumes: (Volumes ?? []).flatMap(({ Labels }) => Labels?.[AGENT_LABEL] ?? []),
      containers: new Map(
        containers.flatMap(({ Id, Labels, State }) => {
          const agentId = Labels[AGENT_LABEL];
          return agentId === undefined ? [] : [[agentId, { id: Id, state: State }] as const];
        }),
      ),
    };
  }

  /** Processors of the host: Docker refuses a limit beyond them. */
  async processors(): Promise<number> {
    return Number(((await this.docker.info()) as { NCPU?: number }).NCPU ?? 1);
  }

  async version(): Promise<string> {
    return (await this.docker.version()).Version;
  }
}

/** `unix:///path`, `tcp://host:port` or `http://host:port`. */
function addressOf(host: string): Docker.DockerOptions {
  if (host.startsWith('unix://')) return { socketPath: host.slice('unix://'.length) };
  const { hostname, port } = new URL(host.replace(/^tcp:/, 'http:'));
  return { protocol: 'http', host: hostname, port: Number(port || 2375) };
}
