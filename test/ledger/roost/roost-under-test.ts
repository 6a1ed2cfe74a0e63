import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Environment } from '#lib/config';
import { TcpLink, until } from '#lib/testing';
import {
  databaseUrls,
  endProcess,
  findBubblewrap,
  freePort,
  localSecrets,
  type Nats,
  openServicesLog,
  type Postgres,
  serviceAccess,
  serviceEnvironment,
  services,
  type ServicesLog,
  startNats,
  startPostgres,
} from '#tools/launcher';
import type { FaultTargets } from '../fault-targets.js';
import type { Build } from './builds.js';
import { childProcesses, childrenOf } from './child-processes.js';
import type { Disk } from './disk.js';
import { ServiceSlot } from './service-slots.js';

export interface RoostOptions {
  folder: string;
  build: Build;
  /** Of services' own variables, for all of them. */
  env: Environment;
  /** Where PostgreSQL and NATS keep their data; an ordinary folder without it. */
  disk: Disk | undefined;
  /** The library that steps clocks, where there is one. */
  faketime: string | undefined;
  log(line: string): void;
}

const READY_MS = 60_000;
/** Two of those that claim work, so that one can take over from the other. */
const REPLICAS: Record<string, number> = { messaging: 2, 'agent-runtime': 2 };

/**
 * Roost as the launcher runs it, a process per service under the launcher's supervisor, but each process reaches each server
 * by a link of its own, and the servers' data may lie on a disk whose power can be cut.
 */
export class RoostUnderTest {
  readonly url: string;
  readonly apiKey: string;
  readonly slots: ServiceSlot[] = [];
  readonly targets: FaultTargets;
  /** How long a service took to start beside all others. */
  startMs = 0;

  private constructor(
    private readonly options: RoostOptions,
    private readonly serversFolder: string,
    private postgres: Postgres,
    private nats: Nats,
    private readonly servicesLog: ServicesLog,
    port: number,
    secrets: ReturnType<typeof localSecrets>,
  ) {
    this.url = `http://127.0.0.1:${port}`;
    this.apiKey = secrets.apiKey;
    this.targets = childProcesses(process.pid, serversFolder);
  }

  /** Errors: a server or a service that does not start. */
  static async start(options: RoostOptions): Promise<RoostUnderTest> {
    const { folder, disk, log } = options;
    const dataDir = join(folder, 'roost');
    const serversFolder = disk?.path ?? join(folder, 'servers');
    // What the servers log is read after a power cut, too.
    for (const made of [dataDir, serversFolder, join(folder, 'logs')])
      mkdirSync(made, { recursive: true, mode: 0o711 });
    symlinkSync(join(folder, 'logs'), join(serversFolder, 'logs'));
    const [postgres, nats, bubblewrap, port] = await Promise.all([
      startPostgres({ dataDir: serversFolder, log }),
      startNats({ dataDir: serversFolder, log }),
      findBubblewrap(log),
      freePort(),
    ]);
    const servicesLog = await openServicesLog({ path: join(folder, 'logs', 'roost.log'), onTrouble: log });
    const secrets = localSecrets(dataDir);
    const roost = new RoostUnderTest(options, serversFolder, postgres, nats, servicesLog, port, secrets);
    try {
      await roost.startServices(dataDir, port, secrets, bubblewrap.path ?? '');
    } catch (error) {
      await roost.stop();
      throw error;
    }
    return roost;
  }

  /** Of PostgreSQL's superuser. */
  get databaseUrl(): string {
    return this.postgres.url;
  }

  /**
   * Cuts the power of the machine that the servers run on; of all machines with `isWhole`. Resolves when the servers serve
   * again; services come back by themselves.
   */
  async cutPower(isWhole: boolean): Promise<void> {
    const { disk } = this.options;
    if (!disk) throw new Error('there is no disk whose power could be cut');
    const [postgresPort, natsPort] = [portOf(this.postgres.url), portOf(this.nats.url)];
    const pids = [this.postgres.pid, this.nats.pid].filter((pid) => pid !== undefined);
    const all = [...pids, ...pids.flatMap(childrenOf)];
    // From here to the last kill nothing else of ours runs: no supervisor sees a server end that it would start again.
    disk.cutPower();
    this.postgres.kill();
    this.nats.kill();
    if (isWhole) for (const slot of this.slots) slot.kill();
    for (const pid of all) killNow(pid);
    await Promise.all(all.map((pid) => endProcess(pid, ['SIGKILL'], 10_000)));
    await Promise.all([this.postgres.stop(), this.nats.stop()]);
    await disk.restorePower();
    const { log } = this.options;
    [this.postgres, this.nats] = await Promise.all([
      startPostgres({ dataDir: this.serversFolder, port: postgresPort, log }),
      startNats({ dataDir: this.serversFolder, port: natsPort, log }),
    ]);
  }

  get disk(): Disk | undefined {
    return this.options.disk;
  }

  async stop(): Promise<void> {
    await Promise.all(this.slots.map((slot) => slot.stop()));
    await this.nats.stop();
    await this.postgres.stop();
    await Promise.all(this.slots.flatMap(({ links }) => [links.postgres.close(), links.nats.close()]));
    await this.servicesLog.close();
  }

  private async startServices(
    dataDir: string,
    port: number,
    secrets: ReturnType<typeof localSecrets>,
    bubblewrapPath: string,
  ): Promise<void> {
    const { folder, build, env, faketime } = this.options;
    const { servicesLog } = this;
    const startedAt = Date.now();
    const account = this.nats.accounts[0];
    if (!account) throw new Error('NATS has no account');
    const roles = await databaseUrls(this.postgres.url);
    const { PATH, HOME, TMPDIR, LANG } = process.env;
    const input = {
      inherited: { PATH, HOME, TMPDIR, LANG, ...env },
      ...{ dataDir, secrets, bubblewrapPath, host: '127.0.0.1', port, url: this.url, isAlone: true },
      ...{ databaseUrl: this.postgres.url, databaseUrls: roles.urls, natsUrl: this.nats.url },
      access: serviceAccess(join(folder, 'credentials'), account.seed),
    };
    const start = async (name: string, replica: number, nodeFlags: string[]) => {
      const [postgres, nats] = await Promise.all([
        TcpLink.open(portOf(this.postgres.url)),
        TcpLink.open(portOf(this.nats.url)),
      ]);
      const environment = await serviceEnvironment(input, name);
      const clockFile = faketime && join(folder, `clock-${name}-${replica}`);
      const slot = await ServiceSlot.start({
        service: name,
        ...{ replica, nodeFlags, build, links: { postgres, nats }, clockFile, servicesLog },
        environment: {
          ...environment,
          DATABASE_URL: postgres.through(environment.DATABASE_URL ?? ''),
          NATS_URL: `nats://${nats.address}`,
          ...(faketime && clockFile ? clockOf(faketime, clockFile) : {}),
        },
        onGivenUp: (reason) => this.options.log(`${name} was given up: ${reason.message}`),
      });
      this.slots.push(slot);
    };
    const all = services.flatMap(({ name, nodeFlags = [] }) =>
      Array.from({ length: REPLICAS[name] ?? 1 }, (_, replica) => start(name, replica, nodeFlags)),
    );
    // All of them, also when one fails: what is still starting could not be stopped.
    const failed = (await Promise.allSettled(all)).find((outcome) => outcome.status === 'rejected');
    if (failed) throw failed.reason;
    // In one order, so that a seed chooses the same.
    this.slots.sort((a, b) => a.name.localeCompare(b.name));
    await until('Roost is ready', () => this.isReady(), { timeoutMs: READY_MS, everyMs: 100 });
    this.startMs = (Date.now() - startedAt) / 2;
  }

  private isReady(): Promise<boolean> {
    return fetch(`${this.url}/health/ready`, { signal: AbortSignal.timeout(2_000) }).then(
      ({ ok }) => ok,
      () => false,
    );
  }
}

const portOf = (url: string) => Number(new URL(url).port);

/** Timers go by the monotonic clock, which no step moves. Read again once a second. */
const clockOf = (faketime: string, file: string) => ({
  LD_PRELOAD: faketime,
  FAKETIME_TIMESTAMP_FILE: file,
  FAKETIME_CACHE_DURATION: '1',
  FAKETIME_DONT_FAKE_MONOTONIC: '1',
  NO_FAKE_STAT: '1',
});

function killNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    // It ended by itself since we looked.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
