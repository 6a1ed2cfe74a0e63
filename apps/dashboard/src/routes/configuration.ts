import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { agent, text } from './parents.js';

const configuration = createRoute({
  getParentRoute: () => agent,
  path: '/configuration',
  component: lazyRouteComponent(() => import('../configuration/configuration-page.js'), 'ConfigurationPage'),
});
const memory = createRoute({
  getParentRoute: () => agent,
  path: '/memory',
  validateSearch: (search): { path?: string } => {
    const path = text(search['path']);
    return path ? { path } : {};
  },
  component: lazyRouteComponent(() => import('../memory/memory-page.js'), 'MemoryPage'),
});

/** How an agent is set up, and what it keeps in mind. */
export const configurationRoutes = [configuration, memory] as const;
