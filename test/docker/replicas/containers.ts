import Docker from 'dockerode';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultTargets, Target, Victim } from '../../ledger/fault-targets.js';

/** The containers of a compose project, asked for anew each time: what was killed comes back with another address. */
export class Containers {
  private readonly docker: Docker;
  private readonly addresses = new Map<string, { until: number; address: Promise<string | undefined> }>();

  constructor(
    socket: string,
    private readonly project: string,
  ) {
    this.docker = new Docker({ socketPath: socket });
  }

  /** Ids of a service's containers, in the order of their numbers. */
  async of(service: string): Promise<string[]> {
    const label = [`com.docker.compose.project=${this.project}`, `com.docker.compose.service=${service}`];
    const found = await this.docker.listContainers({ all: true, filters: JSON.stringify({ label }) });
    const numberOf = ({ Labels }: Docker.ContainerInfo) => Number(Labels['com.docker.compose.container-number']);
    return found.sort((a, b) => numberOf(a) - numberOf(b)).map(({ Id }) => Id);
  }

  /** Undefined while it does not run. Asked for at most every half second: asking costs Docker more than a request. */
  addressOf(id: string, network: string): Promise<string | undefined> {
    const known = this.addresses.get(id);
    if (known && known.until > Date.now()) return known.address;
    const address = this.docker
      .getContainer(id)
      .inspect()
      .then(({ NetworkSettings }) => NetworkSettings.Networks[`${this.project}_${network}`]?.IPAddress || undefined);
    this.addresses.set(id, { until: Date.now() + 500, address });
    return address;
  }

  /** How often the restart policy brought a service's containers back. */
  async restartsOf(service: string): Promise<number> {
    const facts = await Promise.all((await this.of(service)).map((id) => this.docker.getContainer(id).inspect()));
    return facts.reduce((sum, { RestartCount }) => sum + RestartCount, 0);
  }

  /** Names of the containers and volumes of agents of this Roost. */
  async leftOf(instance: string): Promise<string[]> {
    const filters = JSON.stringify({ label: [`io.roost.instance=${instance}`] });
    const containers = await this.docker.listContainers({ all: true, filters });
    const { Volumes } = await this.docker.listVolumes({ filters });
    return [
      ...containers.map(({ Names, State }) => `container ${Names[0]} (${State})`),
      ...(Volumes ?? []).map(({ Name }) => `volume ${Name}`),
    ];
  }

  /**
   * For faults. A container is killed from outside by the process number of its first process: `docker kill` counts as
   * the user's wish, after which no restart policy brings it back. So this must be root on Docker's own machine.
   */
  async asTargets(): Promise<FaultTargets> {
    const volume = await this.docker.getVolume(`${this.project}_nats`).inspect();
    return { busFolder: `${volume.Mountpoint}/jetstream`, find: (target) => this.victimsOf(target) };
  }

  private async victimsOf(target: Target): Promise<Victim[]> {
    const ids = await this.of(target === 'nats-server' ? 'nats' : target);
    const found = await Promise.all(ids.map((id) => this.docker.getContainer(id).inspect()));
    return found
      .filter(({ State }) => State.Running && !State.Restarting && State.Pid > 0)
      .map(({ Id, Name, State }) => ({
        name: Name.replace(`/${this.project}`, '').slice(1),
        ageMs: Date.now() - Date.parse(State.StartedAt),
        kill: () => kill(State.Pid),
        freeze: (forMs) => this.freeze(Id, forMs),
      }));
  }

  private async freeze(id: string, forMs: number): Promise<void> {
    const container = this.docker.getContainer(id);
    // It may end, or be frozen already, at this moment.
    await container.pause().catch(() => undefined);
    await sleep(forMs);
    await container.unpause().catch(() => undefined);
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    // It ended by itself since we looked.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
