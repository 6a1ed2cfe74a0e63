import type { RunningService } from '#lib/bus';
import { InProcessRegistry } from '#lib/rpc';
import type { Environment } from '#lib/config';
import { type ServiceEntry, stopInOrder } from './services.js';

export interface RunningServices {
  /** Where the gateway listens; `undefined` when it is not among the services. */
  url: string | undefined;
  /** Drains and stops every service; errors of one do not keep the others from stopping. */
  stop(): Promise<void>;
  /** Ends at once whatever is a process of its own. */
  kill(): void;
}

/**
 * Starts services in this process: all but the gateway side by side, then the gateway, so that its port opens when
 * all of them run. When one fails, those that run are stopped and its error is thrown.
 */
export async function runInProcess(
  entries: ServiceEntry[],
  environmentOf: (serviceName: string) => Promise<Environment>,
): Promise<RunningServices> {
  const running: RunningService[] = [];
  const inProcess = new InProcessRegistry();
  const start = async ({ name, load }: ServiceEntry) => {
    const [service, environment] = await Promise.all([load(), environmentOf(name)]);
    running.push(await service.start(environment, inProcess));
  };
  const stop = () => stopInOrder(running);

  const isGateway = ({ name }: ServiceEntry) => name === 'gateway';
  for (const group of [entries.filter((entry) => !isGateway(entry)), entries.filter(isGateway)]) {
    const outcomes = await Promise.allSettled(group.map(start));
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (!failed) continue;
    // The first error says what is wrong; one while stopping would only hide it.
    await stop().catch(() => undefined);
    throw failed.reason;
  }
  return { url: running.find(({ name }) => name === 'gateway')?.url, stop, kill: () => undefined };
}
