import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { type Period, periodOf } from '../usage/period.js';
import { app, text } from './parents.js';

const GROUPS = ['agent', 'model', 'source', 'day'] as const;
type UsageSearch = Period & { by?: (typeof GROUPS)[number]; show?: 'tokens' | 'cost' };

const usage = createRoute({
  getParentRoute: () => app,
  path: '/usage',
  validateSearch: (search): UsageSearch => {
    const by = GROUPS.find((each) => each === search['by']);
    return { ...periodOf(search), ...(by ? { by } : {}), ...(search['show'] === 'cost' ? { show: 'cost' } : {}) };
  },
  component: lazyRouteComponent(() => import('../usage/usage-page.js'), 'UsagePage'),
});

const budgets = createRoute({
  getParentRoute: () => app,
  path: '/usage/budgets',
  validateSearch: (search): { edit?: string } => {
    const edit = text(search['edit']);
    return edit === undefined ? {} : { edit };
  },
  component: lazyRouteComponent(() => import('../usage/budgets-page.js'), 'BudgetsPage'),
});

export const usageRoutes = [usage, budgets] as const;
