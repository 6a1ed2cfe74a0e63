import { fileURLToPath } from 'node:url';
import type { Environment } from '#lib/config';
import { RoostError } from '#lib/contracts/errors';
import type { RunningServices } from './run-in-process.js';
import { type ServiceProcess, superviseServices } from './service-process.js';
import { type ServiceEntry, stopInOrder } from './services.js';
import type { ServicesLog } from './services-log.js';

export interface RunAsProcessesOptions {
  entries: ServiceEntry[];
  /** Processes per service; one by default. */
  replicas: Record<string, number>;
  environments: Record<string, Environment>;
  /** Where the gateway will listen. */
  url: string;
  servicesLog: ServicesLog;
  log(line: string): void;
  onGivenUp(reason: Error): void;
}

const readyTimeoutMs = 60_000;

/**
 * Starts each service as a process of its own, started again when it dies. Resolves when the gateway's /health/ready
 * answers 200. The processes end with this one, however it ends.
 */
export async function runAsProcesses(options: RunAsProcessesOptions): Promise<RunningServices> {
  const { entries, replicas, environments, url, servicesLog, log, onGivenUp } = options;
  const children: (ServiceProcess & { name: string })[] = [];
  const kill = () => children.forEach((child) => child.kill());
  const stop = () => stopInOrder(children);
  const all = entries.flatMap((entry) => Array.from({ length: replicas[entry.name] ?? 1 }, () => entry));
  const start = async ({ name, nodeFlags = [] }: ServiceEntry) => {
    const main = fileURLToPath(new URL(`../../apps/${name}/src/main.js`, import.meta.url));
    const child = await superviseServices({
      name,
      source: name,
      nodeArguments: [...nodeFlags, main],
      environment: environments[name] ?? {},
      servicesLog,
      log,
      onGivenUp,
    });
    children.push(Object.assign(child, { name }));
  };
  try {
    const outcomes = await Promise.allSettled(all.map(start));
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
    await untilHealthy(url);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, stop, kill };
}

async function untilHealthy(url: string): Promise<void> {
  for (const deadline = Date.now() + readyTimeoutMs; Date.now() < deadline;) {
    const isReady = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(10_000) }).then(
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
