import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { app, text } from './parents.js';

const accounts = createRoute({
  getParentRoute: () => app,
  path: '/admin',
  validateSearch: (search): { q?: string; new?: true } => {
    const q = text(search['q']);
    return { ...(q ? { q } : {}), ...(String(search['new']) === 'true' ? { new: true } : {}) };
  },
  component: lazyRouteComponent(() => import('../admin/accounts-page.js'), 'AccountsPage'),
});
const account = createRoute({
  getParentRoute: () => app,
  path: '/admin/accounts/$accountId',
  component: lazyRouteComponent(() => import('../admin/account-page.js'), 'AccountPage'),
});
const services = createRoute({
  getParentRoute: () => app,
  path: '/admin/services',
  component: lazyRouteComponent(() => import('../admin/services-page.js'), 'ServicesPage'),
});

export const adminRoutes = [accounts, account, services] as const;
