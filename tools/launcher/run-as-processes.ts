import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Environment } from '#lib/config';
import { RoostError } from '#lib/contracts';
import type { RunningServices } from './run-in-process.js';
import { type ServiceEntry, stopInOrder } from './services.js';
import { supervise, type SupervisedProcess } from './supervised-process.js';

export interface RunAsProcessesOptions {
  entries: ServiceEntry[];
  /** Processes per service; one where nothing is said. */
  replicas: Record<string, number>;
  environmentOf(serviceName: string): Promise<Environment>;
  /** Where the gateway will listen. */
  url: string;
  log(line: string): void;
}

const readyTimeoutMs = 60_000;
const drainMs = 25_000;

/**
 * Starts each service as a process of its own, started again when it dies, its terminal output prefixed with its name.
 * Resolves when the gateway's /health/ready answers 200. The processes end with this one, however it ends.
 */
export async function runAsProcesses({
  entries,
  replicas,
  environmentOf,
  url,
  log,
}: RunAsProcessesOptions): Promise<RunningServices> {
  const children: (SupervisedProcess & { name: string })[] = [];
  const kill = () => children.forEach((child) => child.kill());
  const stop = () => stopInOrder(children);
  const all = entries.flatMap((entry) => Array.from({ length: replicas[entry.name] ?? 1 }, () => entry));
  for (const { name, nodeFlags } of all) {
    const environment = await environmentOf(name);
    const child = await supervise({
      name,
      log,
      spawn: () => startAlone(name, nodeFlags ?? [], environment, log),
      whenReady: () => Promise.resolve(),
      describeFailure: () => '',
      stopSignals: ['SIGTERM', 'SIGKILL'],
      stopGraceMs: drainMs,
    });
    children.push(Object.assign(child, { name }));
  }
  try {
    await untilHealthy(url);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, stop, kill };
}

function startAlone(
  name: string,
  nodeFlags: string[],
  environment: Environment,
  log: (line: string) => void,
): ChildProcess {
  const main = fileURLToPath(new URL(`../../apps/${name}/src/main.js`, import.meta.url));
  const endWithParent = new URL('./end-with-parent.js', import.meta.url).href;
  const child = spawn(process.execPath, [...nodeFlags, `--import=${endWithParent}`, '--enable-source-maps', main], {
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // Its own process group, so that Ctrl-C in the terminal reaches us alone and we choose the order of stopping.
    detached: true,
  });
  for (const output of [child.stdout, child.stderr]) {
    if (output) createInterface({ input: output }).on('line', (line) => log(`[${name}] ${line}`));
  }
  return child;
}

async function untilHealthy(url: string): Promise<void> {
  for (const deadline = Date.now() + readyTimeoutMs; Date.now() < deadline;) {
    const isReady = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(2_000) }).then(
      (response) => response.ok,
      () => false,
    );
    if (isReady) return;
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new RoostError(
    'SERVICE_UNAVAILABLE',
    `The services were not ready after ${readyTimeoutMs / 1000} s; see the log.`,
  );
}
