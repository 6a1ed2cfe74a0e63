import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hasProgram, runCommand } from './run-command.js';

export interface DockerDaemon {
  /** Path of the socket. */
  socket: string;
  stop(): Promise<void>;
}

const startTimeoutMs = 60_000;

/**
 * The Docker that runs here, or, for root where only its program is, one of our own in `folder` that forwards nothing and
 * changes no firewall. A text: why there is none.
 */
export async function findDocker(folder: string): Promise<DockerDaemon | string> {
  const { DOCKER_HOST = 'unix:///var/run/docker.sock' } = process.env;
  if (!(await hasProgram('docker'))) return 'the program docker is not installed';
  if (!DOCKER_HOST.startsWith('unix://')) return 'DOCKER_HOST is not a socket of this machine';
  const socket = DOCKER_HOST.slice('unix://'.length);
  if (await hasProgram('docker', ['-H', DOCKER_HOST, 'version'])) return { socket, stop: () => Promise.resolve() };
  if (process.getuid?.() !== 0) return `no Docker answers at ${DOCKER_HOST}`;
  if (!(await hasProgram('dockerd'))) return `no Docker answers at ${DOCKER_HOST}, and dockerd is not installed`;
  if (await isBridgeFiltered())
    return 'the firewall drops what containers send each other, as a Docker that ran here left it: iptables -P FORWARD ACCEPT';
  return startDaemon(folder);
}

/** Ours sets no rule, so what crosses a bridge must not need one. Without either setting nothing filters bridges. */
async function isBridgeFiltered(): Promise<boolean> {
  const setting = await readFile('/proc/sys/net/bridge/bridge-nf-call-iptables', 'utf8').catch(() => '0');
  if (setting.trim() !== '1') return false;
  const rules = await runCommand('iptables', ['-S', 'FORWARD']).catch(() => '');
  return rules.startsWith('-P FORWARD DROP');
}

async function startDaemon(folder: string): Promise<DockerDaemon | string> {
  const socket = join(folder, 'docker.sock');
  const log = openSync(join(folder, 'dockerd.log'), 'w');
  const folders = ['--data-root', join(folder, 'data'), '--exec-root', join(folder, 'exec')];
  const daemon = spawn(
    'dockerd',
    [
      ...folders,
      ...['--pidfile', join(folder, 'dockerd.pid'), '-H', `unix://${socket}`],
      ...['--iptables=false', '--ip-forward=false', '--bridge=none'],
    ],
    { stdio: ['ignore', log, log] },
  );
  closeSync(log);
  const hasEnded = () => daemon.exitCode !== null || daemon.signalCode !== null;
  for (const deadline = Date.now() + startTimeoutMs; Date.now() < deadline && !hasEnded();) {
    if (existsSync(socket) && (await hasProgram('docker', ['-H', `unix://${socket}`, 'version'])))
      return { socket, stop: () => stopDaemon(daemon) };
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  await stopDaemon(daemon);
  return `dockerd does not start here: see ${folder}/dockerd.log`;
}

async function stopDaemon(daemon: ChildProcess): Promise<void> {
  if (daemon.exitCode !== null || daemon.signalCode !== null) return;
  daemon.kill('SIGTERM');
  await once(daemon, 'exit');
}
