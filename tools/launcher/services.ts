import type { StartService } from '#lib/config';

/** What every app's main.ts exports. */
export interface ServiceModule {
  start: StartService;
}

export interface ServiceEntry {
  name: string;
  load(): Promise<ServiceModule>;
}

/** Every service of Roost, one line each. The gateway is last: it opens the door once the others are there. */
export const services: ServiceEntry[] = [
  { name: 'agent-lifecycle', load: () => import('#app/agent-lifecycle') },
  { name: 'messaging', load: () => import('#app/messaging') },
  { name: 'agent-runtime', load: () => import('#app/agent-runtime') },
  { name: 'scheduler', load: () => import('#app/scheduler') },
  { name: 'webhook-dispatch', load: () => import('#app/webhook-dispatch') },
  { name: 'channels', load: () => import('#app/channels') },
  { name: 'gateway', load: () => import('#app/gateway') },
];
