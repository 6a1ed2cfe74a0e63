import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { RUN_SOURCES, RUN_STATUSES, type RunSource, type RunStatus } from '../runs/run-words.js';
import { agent, text } from './parents.js';

const runs = createRoute({
  getParentRoute: () => agent,
  path: '/runs',
  validateSearch: (search): { status?: RunStatus; source?: RunSource } => {
    const status = RUN_STATUSES.find((each) => each === search['status']);
    const source = RUN_SOURCES.find((each) => each === search['source']);
    return { ...(status ? { status } : {}), ...(source ? { source } : {}) };
  },
  component: lazyRouteComponent(() => import('../runs/runs-page.js'), 'RunsPage'),
});

const run = createRoute({
  getParentRoute: () => agent,
  path: '/runs/$runId',
  validateSearch: (search): { step?: string } => {
    const step = text(search['step']);
    return step && /^\d+\.\d+$/.test(step) ? { step } : {};
  },
  component: lazyRouteComponent(() => import('../runs/run-page.js'), 'RunPage'),
});

const runOfMessage = createRoute({
  getParentRoute: () => agent,
  path: '/messages/$messageId/run',
  component: lazyRouteComponent(() => import('../runs/run-of-message-page.js'), 'RunOfMessagePage'),
});

export const runRoutes = [runs, run, runOfMessage] as const;
