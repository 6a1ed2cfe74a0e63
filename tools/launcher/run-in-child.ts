import { fileURLToPath } from 'node:url';
import type { Environment } from '#lib/config';
import type { RunningServices } from './run-in-process.js';
import { superviseServices } from './service-process.js';
import type { ServicesLog } from './services-log.js';
import type { StartServices } from './services-process.js';

export interface RunInChildOptions {
  /** Of each service. The process is started at once, to load its code while the servers start. */
  environments: Promise<Record<string, Environment>>;
  inherited: Environment;
  servicesLog: ServicesLog;
  log(line: string): void;
  onGivenUp(reason: Error): void;
}

/** Starts all services in one process of their own, started again when it dies. */
export async function runInChild({ environments, inherited, ...rest }: RunInChildOptions): Promise<RunningServices> {
  const child = await superviseServices({
    ...rest,
    name: 'The process of the services',
    source: 'services',
    nodeArguments: [fileURLToPath(new URL('./services-process.js', import.meta.url))],
    environment: inherited,
    order: environments.then((found): StartServices => ({ environments: found })),
  });
  return { url: child.url, stop: () => child.stop(), kill: () => child.kill() };
}
