import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Environment } from '#lib/config';
import { findBubblewrap } from './bubblewrap.js';
import { lockDataFolder, type DataLock } from './data-lock.js';
import { startNats, type Nats } from './nats.js';
import { serviceAccess, type ServiceAccess } from './nats-trust.js';
import { assertPortIsFree, freePort } from './ports.js';
import { startPostgres, type Postgres } from './postgres.js';
import { runAsProcesses } from './run-as-processes.js';
import { runInProcess, type RunningServices } from './run-in-process.js';
import { localSecrets } from './secrets.js';
import { serviceEnvironment } from './service-environment.js';
import { services } from './services.js';

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
  /** Services log to the terminal instead of `logs/roost.log`. */
  isVerbose: boolean;
  /** DATABASE_URL and NATS_URL here use servers that run already; the rest is handed to the services. */
  environment: Environment;
  progress(line: string): void;
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
  // Passable for others, listable by its owner only: PostgreSQL's own user has to walk through it.
  mkdirSync(join(dataDir, 'logs'), { recursive: true, mode: 0o711 });
  const port = options.port === 0 ? await freePort(host) : options.port;
  const url = urlOf(host, port);
  const parts: Parts = { lock: lockDataFolder(dataDir, url) };
  const stop = () => stopParts(parts, progress);

  try {
    await assertPortIsFree(port, host);
    const secrets = localSecrets(dataDir);
    const logFile = join(dataDir, 'logs', 'roost.log');
    // Loading the code takes as long as starting the servers; a failure comes back when the service is started.
    if (!options.separateProcesses) for (const service of services) service.load().catch(() => undefined);

    const [bubblewrap, database, bus] = await settleAll([
      isBubblewrapWanted(environment) ? findBubblewrap(progress) : Promise.resolve(undefined),
      openDatabase(options, parts),
      openBus(options, parts),
    ]);
    if (bubblewrap && bubblewrap.path === undefined)
      progress(`No sandbox: ${bubblewrap.reason} Agents will be in the state "error".`);

    const environmentOf = (serviceName: string) =>
      serviceEnvironment(
        {
          inherited: environment,
          dataDir,
          databaseUrl: database.url,
          natsUrl: bus.url,
          ...(bus.access ? { access: bus.access } : {}),
          secrets,
          bubblewrapPath: bubblewrap?.path ?? '',
          host,
          port,
          url,
          isAlone: options.separateProcesses,
          ...(options.isVerbose ? {} : { logFile }),
        },
        serviceName,
      );
    const startedAt = Date.now();
    parts.services = options.separateProcesses
      ? await runAsProcesses({ entries: services, replicas: options.replicas, environmentOf, url, log: progress })
      : await runInProcess(services, environmentOf);
    progress(`Services ready (${seconds(startedAt)})`);
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
  }
}

/** What runs, in the order it was started. */
interface Parts {
  lock: DataLock;
  postgres?: Postgres;
  nats?: Nats;
  services?: RunningServices;
}

async function stopParts({ lock, postgres, nats, services }: Parts, progress: (line: string) => void): Promise<void> {
  if (services) await drain(services, progress);
  await nats?.stop();
  await postgres?.stop();
  lock.release();
}

function killParts({ lock, postgres, nats, services }: Parts): void {
  services?.kill();
  nats?.kill();
  postgres?.kill();
  lock.release();
}

async function openDatabase(
  { environment, dataDir, progress }: PlatformOptions,
  parts: Parts,
): Promise<{ url: string }> {
  if (environment.DATABASE_URL) return { url: environment.DATABASE_URL };
  const startedAt = Date.now();
  parts.postgres = await startPostgres({ dataDir, log: progress });
  progress(`PostgreSQL ready (${seconds(startedAt)})`);
  return parts.postgres;
}

interface Bus {
  url: string;
  access?: ServiceAccess;
}

async function openBus({ environment, dataDir, progress }: PlatformOptions, parts: Parts): Promise<Bus> {
  if (environment.NATS_URL) return { url: environment.NATS_URL };
  const startedAt = Date.now();
  const nats = await startNats({ dataDir, log: progress });
  parts.nats = nats;
  // Where `npm run admin` finds it: the port is another at each start.
  writeFileSync(join(dataDir, 'nats', 'url'), nats.url, { mode: 0o600 });
  progress(`NATS ready (${seconds(startedAt)})`);
  const account = nats.accounts[0];
  if (!account) throw new Error('the data folder holds no bus account');
  return { url: nats.url, access: serviceAccess(join(dataDir, 'nats', 'credentials'), account.seed) };
}

/** Who wants another kind of local sandbox gets no package installed for this one. */
function isBubblewrapWanted({ ROOST_LOCAL_RUNTIME: runtime }: Environment): boolean {
  return runtime === undefined || runtime === 'bubblewrap';
}

/** Waits for all even when one fails, so that nothing is still starting while we undo. */
async function settleAll<T extends unknown[]>(steps: { [K in keyof T]: Promise<T[K]> }): Promise<T> {
  await Promise.allSettled(steps);
  return Promise.all(steps) as Promise<T>;
}

async function drain(running: RunningServices, progress: (line: string) => void): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not drained after ${drainMs / 1000} s`)), drainMs);
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

function urlOf(host: string, port: number): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function seconds(startedAt: number): string {
  return `${((Date.now() - startedAt) / 1000).toFixed(1)} s`;
}
