import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { app } from './parents.js';

const apiKeys = createRoute({
  getParentRoute: () => app,
  path: '/settings',
  validateSearch: (search): { new?: true } => (String(search['new']) === 'true' ? { new: true } : {}),
  component: lazyRouteComponent(() => import('../settings/api-keys-page.js'), 'ApiKeysPage'),
});
const providerKeys = createRoute({
  getParentRoute: () => app,
  path: '/settings/provider-keys',
  component: lazyRouteComponent(() => import('../settings/provider-keys-page.js'), 'ProviderKeysPage'),
});
const quotas = createRoute({
  getParentRoute: () => app,
  path: '/settings/quotas',
  component: lazyRouteComponent(() => import('../settings/quotas-page.js'), 'QuotasPage'),
});
const profile = createRoute({
  getParentRoute: () => app,
  path: '/settings/profile',
  component: lazyRouteComponent(() => import('../settings/profile-page.js'), 'ProfilePage'),
});

export const settingsRoutes = [apiKeys, providerKeys, quotas, profile] as const;
