import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Environment } from '#lib/config';
import { endProcess } from '#tools/launcher';
import { apiClient, type ApiClient } from './api-client.js';

export interface SpawnRoostOptions {
  dataDir: string;
  /** 0, the default, takes a free one. */
  port?: number;
  /** Further command-line arguments, e.g. `--processes`. */
  args?: string[];
  env?: Environment;
  /** How long it may take; 3 minutes by default: a slow machine takes more than one. */
  readyTimeoutMs?: number;
  /** By `npm start`; `pid` is then npm's. */
  underNpm?: boolean;
}

export interface SpawnedRoost {
  pid: number;
  url: string;
  apiKey: string;
  api: ApiClient;
  /** Of its own PostgreSQL. */
  databaseUrl: string;
  /** Everything it printed so far. */
  output(): string;
  /** Nobody reads what it prints from here on. */
  closeOutput(): void;
  /** As Ctrl-C does; resolves with the exit code when everything is stopped. */
  stop(): Promise<number | null>;
  /** kill -9 of the launcher alone: what it started must end by itself or be ended by the next start. */
  kill(): Promise<void>;
}

const root = fileURLToPath(import.meta.url.replace(/(\/dist)?\/libs\/testing\/src\/.*$/, '/'));
const start = `${root}tools/start.mjs`;

/**
 * Starts Roost as a user does, as a process of its own with its own PostgreSQL and NATS in `dataDir`. For what only a
 * process can show: kill -9, restart, a second start on the same folder. Throws, with its output, when it ends instead
 * of becoming ready.
 */
export async function spawnRoost({
  dataDir,
  port = 0,
  args = [],
  env = {},
  underNpm = false,
  readyTimeoutMs = 180_000,
}: SpawnRoostOptions): Promise<SpawnedRoost> {
  const { PATH, HOME, TMPDIR, LANG } = process.env;
  const options = ['--data', dataDir, '--port', String(port), ...args];
  const command = underNpm ? ['npm', 'start', '--', ...options] : [process.execPath, start, ...options];
  const child = spawn(command[0] ?? '', command.slice(1), {
    cwd: underNpm ? root : undefined,
    env: { PATH, HOME, TMPDIR, LANG, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  // A test that ends without stopping us must not leave the process behind.
  const endWithUs = () => child.kill('SIGTERM');
  process.once('exit', endWithUs);
  void exited.then(() => process.off('exit', endWithUs));

  const url = await new Promise<string>((resolve, reject) => {
    const fail = (reason: string) => reject(new Error(`Roost did not get ready (${reason}):\n${output}`));
    const timer = setTimeout(() => {
      child.kill('SIGTERM');
      fail(`${readyTimeoutMs} ms passed`);
    }, readyTimeoutMs);
    const read = (chunk: Buffer) => {
      output += chunk.toString('utf8');
      const ready = /^Roost is ready at (\S+)$/m.exec(output)?.[1];
      if (ready === undefined) return;
      clearTimeout(timer);
      resolve(ready);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('close', (code) => {
      clearTimeout(timer);
      fail(`it ended with code ${code ?? 'unknown'}`);
    });
  });
  const apiKey = readFileSync(join(dataDir, 'api-key'), 'utf8').trim();
  const pid = child.pid ?? 0;
  return {
    pid,
    url,
    apiKey,
    api: apiClient(url, apiKey),
    databaseUrl: databaseUrlOf(dataDir),
    output: () => output,
    closeOutput() {
      child.stdout.destroy();
      child.stderr.destroy();
    },
    async stop() {
      child.kill('SIGTERM');
      return exited;
    },
    async kill() {
      await endProcess(pid, ['SIGKILL'], 5_000);
      await exited;
    },
  };
}

/** Of the PostgreSQL that Roost runs on this data folder. */
function databaseUrlOf(dataDir: string): string {
  const password = readFileSync(join(dataDir, 'postgres-password'), 'utf8').trim();
  const port = readFileSync(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[3];
  return `postgresql://postgres:${password}@127.0.0.1:${port?.trim()}/postgres`;
}
