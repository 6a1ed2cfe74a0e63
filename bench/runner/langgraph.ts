import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '#tools/launcher';
import { requireClosedNetwork } from './closed-process.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const folder = join(ROOT, 'node_modules', '.cache', 'roost-bench-langgraph');
const READY_MS = 60_000;

/**
 * LangGraph's development server for JavaScript (`langgraphjs dev`) with the echo graph of bench/langgraph, on loopback.
 * It keeps everything in memory: what Roost commits to disk it does not. Its analytics are switched off, and it starts
 * only where there is no way out at all: a later version may know other ways of telling.
 */
export async function startLangGraph(): Promise<{ url: string; version: string; stop(): Promise<void> }> {
  requireClosedNetwork();
  const port = await freePort();
  const { PATH, HOME, TMPDIR } = process.env;
  const program = join(folder, 'node_modules', '.bin', 'langgraphjs');
  const server = spawn(
    program,
    ['dev', '--host', '127.0.0.1', '--port', String(port), '--no-browser', '--no-reload', '--n-jobs-per-worker', '20'],
    {
      cwd: folder,
      // Its analytics and tracing would leave this machine.
      env: { PATH, HOME, TMPDIR, LANGGRAPH_CLI_NO_ANALYTICS: '1', LANGSMITH_TRACING: 'false', LOG_LEVEL: 'error' },
      stdio: ['ignore', 'ignore', 'inherit'],
      // A process group, because it starts processes of its own.
      detached: true,
    },
  );
  const exited = new Promise((resolve) => server.once('exit', resolve));
  const url = `http://127.0.0.1:${port}`;
  const stop = async () => {
    if (server.exitCode === null && server.pid) process.kill(-server.pid, 'SIGKILL');
    await exited;
  };
  const endWithUs = () => void stop();
  process.once('exit', endWithUs);
  for (const deadline = Date.now() + READY_MS; ; await sleep(200)) {
    const isReady = await fetch(`${url}/ok`).then(
      (response) => response.ok,
      () => false,
    );
    if (isReady) break;
    if (Date.now() < deadline && server.exitCode === null) continue;
    await stop();
    throw new Error('langgraphjs dev did not get ready');
  }
  const installed = join(folder, 'node_modules', '@langchain', 'langgraph-cli', 'package.json');
  const { version } = JSON.parse(readFileSync(installed, 'utf8')) as { version: string };
  return {
    url,
    version,
    async stop() {
      process.off('exit', endWithUs);
      await stop();
    },
  };
}

/** Installs LangGraph into a cache of its own, so that it is no dependency of Roost's; needs the network when it is not there. */
export async function installLangGraph(): Promise<void> {
  mkdirSync(folder, { recursive: true });
  cpSync(join(ROOT, 'bench', 'langgraph'), folder, { recursive: true });
  const wanted = readFileSync(join(folder, 'package.json'), 'utf8');
  const stamp = join(folder, 'installed.json');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  console.error('installing the packages of bench/langgraph …');
  const npm = spawn('npm', ['install', '--no-audit', '--no-fund', '--no-package-lock', '--ignore-scripts'], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const code = await new Promise((resolve) => npm.once('exit', resolve));
  if (code !== 0) throw new Error(`the packages could not be installed: npm ended with ${String(code)}`);
  writeFileSync(stamp, wanted);
}
