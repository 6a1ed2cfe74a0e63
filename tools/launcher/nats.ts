import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join, resolve } from 'node:path';
import type { BusAccount, BusTrust } from '#lib/nats-auth';
import { RoostError } from '#lib/contracts/errors';
import { openServerLog } from './server-log.js';
import { keptTrust } from './nats-trust.js';
import { NatsWatch, type WatchTiming } from './nats-watch.js';
import { freePort } from './ports.js';
import { endProcess, processesWithArgument } from './process-identity.js';
import { isRunning, supervise } from './supervised-process.js';
import { findOrInstall } from './system-package.js';

export interface NatsOptions {
  /** The data folder; streams, keys and configuration live in its `nats` folder. */
  dataDir: string;
  /** Accounts to make at first start; services of one Roost share one. */
  accounts?: string[];
  /** A free one by default. */
  port?: number | undefined;
  log(line: string): void;
  /** Called when it dies and cannot be started again. */
  onGivenUp?: ((reason: Error) => void) | undefined;
  /** How soon it is found out that it answers no more. */
  watch?: WatchTiming | undefined;
}

export interface Nats {
  url: string;
  accounts: BusAccount[];
  readonly pid: number | undefined;
  stop(): Promise<void>;
  kill(): void;
}

const startTimeoutMs = 30_000;

/**
 * Starts nats-server with JetStream on a free port of 127.0.0.1, installing it where permitted, and starts it again on
 * the same port when it dies or answers no more. Only users signed by the data folder's accounts may connect.
 * Not promised before version 2.10: that a stream survives a power cut (a kill -9 it does); Roost refills streams from
 * its database.
 * Errors: SERVICE_UNAVAILABLE with the command to type when nats-server is not to be had.
 */
export async function startNats({
  dataDir,
  accounts = ['ROOST'],
  log,
  onGivenUp,
  watch,
  ...options
}: NatsOptions): Promise<Nats> {
  const found = await findOrInstall({ program: 'nats-server', packageName: 'nats-server' }, log);
  if (found.path === undefined) {
    throw new RoostError('SERVICE_UNAVAILABLE', `${found.reason} Or set NATS_URL to a running server.`);
  }
  const program = found.path;
  const natsDir = resolve(dataDir, 'nats');
  mkdirSync(natsDir, { recursive: true, mode: 0o700 });
  const configFile = join(natsDir, 'nats-server.conf');
  await endOrphans(configFile, log);

  const trust = await keptTrust(natsDir, accounts);
  const port = options.port ?? (await freePort());
  const canSyncAlways = atLeast(versionOf(program), [2, 10]);
  // Logged at the first start only: it is a fact about this machine, not an event.
  if (!canSyncAlways && !existsSync(configFile))
    log(
      'nats-server is older than 2.10 and cannot sync every write; after a power cut streams are refilled from the database',
    );
  writeFileSync(configFile, configuration({ port, storeDir: join(natsDir, 'jetstream'), trust, canSyncAlways }), {
    mode: 0o600,
  });

  const serverLog = openServerLog(resolve(dataDir, 'logs', 'nats.log'), log);
  const server = await supervise({
    name: 'nats-server',
    log,
    stopSignals: ['SIGTERM', 'SIGKILL'],
    stopGraceMs: 10_000,
    orphanSignal: 'SIGTERM',
    isServer: true,
    ...(onGivenUp ? { onGivenUp } : {}),
    describeFailure: () => serverLog.failure(),
    whenReady: (child) => untilGreeting(port, child),
    spawn() {
      const child = spawn(program, ['-c', configFile], {
        // What one core carries is far more than we send; with several, Go's threads mostly wake each other.
        env: { ...process.env, GOMAXPROCS: '1' },
        stdio: ['ignore', 'pipe', 'pipe'],
        // Its own process group, so that Ctrl-C in the terminal reaches us alone and services drain first.
        detached: true,
      });
      serverLog.collect(child);
      return child;
    },
  });
  const url = `nats://127.0.0.1:${port}`;
  const [account] = trust.accounts;
  const watching =
    account &&
    new NatsWatch({
      ...{ url, account, folder: natsDir, log, timing: watch },
      kill: () => void (server.pid !== undefined && process.kill(server.pid, 'SIGKILL')),
    });
  return {
    url,
    accounts: trust.accounts,
    get pid() {
      return server.pid;
    },
    stop: async () => {
      await watching?.stop();
      await server.stop();
      await serverLog.close();
    },
    kill: () => server.kill(),
  };
}

/** Two servers on one store destroy it: end what an earlier, killed launcher left running on this folder. */
async function endOrphans(configFile: string, log: (line: string) => void): Promise<void> {
  for (const { pid } of processesWithArgument(['nats-server'], configFile)) {
    log(`ending nats-server (process ${pid}) of an earlier start`);
    await endProcess(pid, ['SIGTERM', 'SIGKILL'], 5_000);
  }
}

interface ConfigurationInput {
  port: number;
  storeDir: string;
  trust: BusTrust;
  canSyncAlways: boolean;
}

function configuration({ port, storeDir, trust, canSyncAlways }: ConfigurationInput): string {
  const resolver = [trust.systemAccount, ...trust.accounts].map(({ publicKey, jwt }) => `  ${publicKey}: ${jwt}`);
  return `listen: "127.0.0.1:${port}"
server_name: roost
# An agent may be created with 10 MiB of files, which are base64 or escaped text in one request.
max_payload: 32MB
jetstream {
  store_dir: ${JSON.stringify(storeDir)}
  max_memory_store: 128MB
${canSyncAlways ? '  sync_interval: always\n' : ''}}
operator: ${trust.operatorJwt}
system_account: ${trust.systemAccount.publicKey}
resolver: MEMORY
resolver_preload {
${resolver.join('\n')}
}
`;
}

function versionOf(program: string): number[] {
  const { stdout } = spawnSync(program, ['--version'], { encoding: 'utf8' });
  return (
    /v(\d+)\.(\d+)/
      .exec(stdout ?? '')
      ?.slice(1)
      .map(Number) ?? [0, 0]
  );
}

function atLeast([major = 0, minor = 0]: number[], [wantMajor, wantMinor]: [number, number]): boolean {
  return major > wantMajor || (major === wantMajor && minor >= wantMinor);
}

/** A server that accepts clients greets each with INFO; a listening socket alone may still be recovering its streams. */
async function untilGreeting(port: number, child: ChildProcess): Promise<void> {
  for (const deadline = Date.now() + startTimeoutMs; Date.now() < deadline && isRunning(child);) {
    if (await isGreeted(port)) return;
    await new Promise((done) => setTimeout(done, 20));
  }
  throw new RoostError('SERVICE_UNAVAILABLE', `nats-server was not ready after ${startTimeoutMs / 1000} s.`);
}

function isGreeted(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect({ port, host: '127.0.0.1', timeout: 1_000 });
    const end = (isReady: boolean) => {
      socket.destroy();
      done(isReady);
    };
    socket.once('data', (data) => end(data.toString('utf8').startsWith('INFO ')));
    socket.once('error', () => end(false));
    socket.once('timeout', () => end(false));
    socket.once('close', () => done(false));
  });
}
