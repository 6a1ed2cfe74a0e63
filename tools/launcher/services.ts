import type { StartService } from '#lib/bus';
import type { z } from 'zod';

/** What every app's main.ts exports. */
export interface ServiceModule {
  start: StartService;
  /** Of its environment. */
  config: z.ZodObject;
}

export interface ServiceEntry {
  name: string;
  /** The PostgreSQL schema it owns, by a role of its own. */
  schema: string;
  load(): Promise<ServiceModule>;
  /** For Node, when the service has a process of its own; `docker-compose.yml` and the chart say the same. */
  nodeFlags?: string[];
}

/** Every service of Roost, one line each. The gateway is last: it opens its port once the others are there. */
export const services: ServiceEntry[] = [
  { name: 'agent-lifecycle', schema: 'lifecycle', load: () => import('#app/agent-lifecycle') },
  { name: 'messaging', schema: 'messaging', load: () => import('#app/messaging') },
  { name: 'agent-runtime', schema: 'runtime', load: () => import('#app/agent-runtime') },
  { name: 'scheduler', schema: 'scheduler', load: () => import('#app/scheduler') },
  { name: 'webhook-dispatch', schema: 'webhooks', load: () => import('#app/webhook-dispatch') },
  { name: 'channels', schema: 'channels', load: () => import('#app/channels') },
  // Files pass through it and are garbage at once: a small young generation keeps little of them.
  { name: 'gateway', schema: 'gateway', load: () => import('#app/gateway'), nodeFlags: ['--max-semi-space-size=4'] },
];

/**
 * Stops what is given in the order in which work flows: the gateway and agent-runtime first, since their requests and
 * turns in progress still need the others. Errors of one do not keep the others from stopping.
 */
export async function stopInOrder(stoppable: { name: string; stop(): Promise<void> }[]): Promise<void> {
  const isFirst = ({ name }: { name: string }) => name === 'gateway' || name === 'agent-runtime';
  const failures: unknown[] = [];
  for (const group of [stoppable.filter(isFirst), stoppable.filter((service) => !isFirst(service))]) {
    for (const outcome of await Promise.allSettled(group.map((service) => service.stop()))) {
      if (outcome.status === 'rejected') failures.push(outcome.reason);
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, 'services did not stop cleanly');
}
