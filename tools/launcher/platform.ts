import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Environment } from '#lib/config';
import { type Access, startAccess } from './access.js';
import { findBubblewrap } from './bubblewrap.js';
import { openDataFolder } from './data-folder.js';
import { checkGivenServers } from './given-servers.js';
import { lockDataFolder, type DataLock } from './data-lock.js';
import { startNats, type Nats } from './nats.js';
import { hasTrust } from './nats-trust.js';
import { assertPortIsFree, freePort, urlOf } from './ports.js';
import { startPostgres, type Postgres } from './postgres.js';
import { runAsProcesses } from './run-as-processes.js';
import { runInChild } from './run-in-child.js';
import type { RunningServices } from './run-in-process.js';
import { localSecrets } from './secrets.js';
import type { ServiceEnvironmentsInput } from './service-environments.js';
import { services } from './services.js';
import { openServicesLog, type ServicesLog } from './services-log.js';

export interface PlatformOptions {
  /** Absolute path; made when missing. */
  dataDir: string;
  host: string;
  /** 0 takes a free one. */
  port: number;
  /** One process per service instead of one for all. */
  separateProcesses: boolean;
  /** Processes per service where it is more than one; they need `separateProcesses`. */
  replicas: Record<string, number>;
  /** What services log is shown by `progress` as well, readable for people. */
  isVerbose: boolean;
  /** DATABASE_URL and NATS_URL here use servers that run already; the rest is handed to the services. */
  environment: Environment;
  progress(line: string): void;
  /** Called when a server or a service died and could not be started again: Roost is of no use then. */
  onGivenUp(reason: Error): void;
}

export interface Platform {
  url: string;
  apiKey: string;
  apiKeyFile: string;
  logFile: string;
  /** Drains the services (25 s at most), then stops NATS, then PostgreSQL. */
  stop(): Promise<void>;
  /** Ends everything at once. The next start recovers. */
  kill(): void;
}

const drainMs = 25_000;

/**
 * Brings up all of Roost on one data folder. What was started is stopped again when a later step fails.
 * Errors: CONFLICT (folder or port in use), SERVICE_UNAVAILABLE (PostgreSQL or NATS not to be had).
 */
export async function startPlatform(options: PlatformOptions): Promise<Platform> {
  const { dataDir, host, environment, progress } = options;
  await checkGivenServers(environment);
  openDataFolder(dataDir, { hasPostgres: !environment.DATABASE_URL });
  const port = options.port === 0 ? await freePort(host) : options.port;
  const url = urlOf(host, port);
  const parts: Parts = { lock: lockDataFolder(dataDir, url) };
  const stop = () => stopParts(parts, progress);
  const access = startAccess();

  try {
    await assertPortIsFree(port, host);
    const secrets = localSecrets(dataDir);
    const logFile = join(dataDir, 'logs', 'roost.log');
    const show = options.isVerbose ? progress : undefined;
    const servicesLog = await openServicesLog({ path: logFile, show, onTrouble: progress });
    parts.servicesLog = servicesLog;
    const environments = deferred<Record<string, Environment>>();
    const supervision = { servicesLog, log: progress, onGivenUp: options.onGivenUp };
    // Loading the code takes as long as starting the servers.
    const early = options.separateProcesses
      ? undefined
      : runInChild({ environments: environments.promise, inherited: environment, ...supervision });
    // What it fails with is asked for below, or hidden by an error that comes before.
    early?.catch(() => undefined);
    try {
      const found = await openServers(options, parts, access);
      const startedAt = Date.now();
      const made = await access.ask('serviceEnvironments', {
        ...found,
        inherited: environment,
        dataDir,
        secrets,
        host,
        port,
        url,
        isAlone: options.separateProcesses,
      });
      access.end();
      if (made.rolesMissing !== undefined)
        progress(
          `DATABASE_URL: no roles can be made by it (${made.rolesMissing}). All services use it as it is: the database does not keep them apart.`,
        );
      environments.resolve(made.environments);
      parts.services = early
        ? await early
        : await runAsProcesses({
            entries: services,
            replicas: options.replicas,
            environments: await environments.promise,
            url,
            ...supervision,
          });
      progress(`Services ready (${seconds(startedAt)})`);
    } catch (error) {
      // Ends the process that waits for its order.
      environments.reject(error);
      await early?.catch(() => undefined);
      throw error;
    }
    return {
      url,
      apiKey: secrets.apiKey,
      apiKeyFile: secrets.apiKeyFile,
      logFile,
      stop,
      kill: () => killParts(parts),
    };
  } catch (error) {
    await stop();
    throw error;
  } finally {
    access.end();
  }
}

/** Starts or finds what services need, side by side. */
async function openServers(
  options: PlatformOptions,
  parts: Parts,
  access: Access,
): Promise<Pick<ServiceEnvironmentsInput, 'databaseUrl' | 'natsUrl' | 'bus' | 'bubblewrapPath'>> {
  const { environment, progress } = options;
  const [bubblewrap, databaseUrl, bus] = await waitForAll([
    isBubblewrapWanted(environment) ? findBubblewrap(progress) : Promise.resolve(undefined),
    openDatabase(options, parts),
    openBus(options, parts, access),
  ]);
  if (bubblewrap && bubblewrap.path === undefined)
    progress(`No sandbox: ${bubblewrap.reason} Agents will be in the state "error".`);
  return { databaseUrl, ...bus, bubblewrapPath: bubblewrap?.path ?? '' };
}

/** What runs, in the order it was started. */
interface Parts {
  lock: DataLock;
  postgres?: Postgres;
  nats?: Nats;
  servicesLog?: ServicesLog;
  services?: RunningServices;
}

async function stopParts(parts: Parts, progress: (line: string) => void): Promise<void> {
  const { lock, postgres, nats, services, servicesLog } = parts;
  if (services) await drain(services, progress);
  await nats?.stop();
  await postgres?.stop();
  await servicesLog?.close();
  lock.release();
}

function killParts({ lock, postgres, nats, services }: Parts): void {
  services?.kill();
  nats?.kill();
  postgres?.kill();
  lock.release();
}

async function openDatabase(options: PlatformOptions, parts: Parts): Promise<string> {
  const { environment, dataDir, progress, onGivenUp } = options;
  if (environment.DATABASE_URL) return environment.DATABASE_URL;
  const startedAt = Date.now();
  parts.postgres = await startPostgres({ dataDir, log: progress, onGivenUp });
  progress(`PostgreSQL ready (${seconds(startedAt)})`);
  return parts.postgres.url;
}

async function openBus(
  { environment, dataDir, progress, onGivenUp }: PlatformOptions,
  parts: Parts,
  access: Access,
): Promise<Pick<ServiceEnvironmentsInput, 'natsUrl' | 'bus'>> {
  if (environment.NATS_URL) return { natsUrl: environment.NATS_URL };
  const startedAt = Date.now();
  const natsDir = join(dataDir, 'nats');
  if (!hasTrust(natsDir)) await access.ask('keptTrust', natsDir, ['ROOST']);
  const nats = await startNats({ dataDir, log: progress, onGivenUp });
  parts.nats = nats;
  // Where `npm run admin` finds it: the port is another at each start.
  writeFileSync(join(natsDir, 'url'), nats.url, { mode: 0o600 });
  progress(`NATS ready (${seconds(startedAt)})`);
  const account = nats.accounts[0];
  if (!account) throw new Error('the data folder holds no bus account');
  return {
    natsUrl: nats.url,
    bus: { credentialsFolder: join(natsDir, 'credentials'), accountSeed: account.seed },
  };
}

/** Who wants another kind of local sandbox gets no package installed for this one. */
function isBubblewrapWanted({ ROOST_LOCAL_RUNTIME: runtime }: Environment): boolean {
  return runtime === undefined || runtime === 'bubblewrap';
}

/** Waits for all even when one fails, so that nothing is still starting while we undo. */
async function waitForAll<T extends unknown[]>(steps: { [K in keyof T]: Promise<T[K]> }): Promise<T> {
  await Promise.allSettled(steps);
  return Promise.all(steps) as Promise<T>;
}

async function drain(running: RunningServices, progress: (line: string) => void): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    // A little after a process that does not drain was ended by its supervisor, which ends the wait.
    timer = setTimeout(() => reject(new Error(`not drained after ${drainMs / 1000} s`)), drainMs + 5_000);
  });
  try {
    await Promise.race([running.stop(), timeout]);
  } catch (error) {
    // The servers below must still be stopped; work cut short here is taken up again after its lease ends.
    progress(`Services ended without draining: ${error instanceof Error ? error.message : String(error)}`);
    running.kill();
  } finally {
    clearTimeout(timer);
  }
}

function deferred<T>() {
  let resolve!: (value: T) => void;
  let reject!: (reason: unknown) => void;
  const promise = new Promise<T>((...functions) => ([resolve, reject] = functions));
  return { promise, resolve, reject };
}

function seconds(startedAt: number): string {
  return `${((Date.now() - startedAt) / 1000).toFixed(1)} s`;
}
