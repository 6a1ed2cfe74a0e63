import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { versionNumber } from '../versions/version-number.js';
import { agent } from './parents.js';

const versions = createRoute({
  getParentRoute: () => agent,
  path: '/versions',
  component: lazyRouteComponent(() => import('../versions/versions-page.js'), 'VersionsPage'),
});
const version = createRoute({
  getParentRoute: () => agent,
  path: '/versions/$version',
  validateSearch: (search): { with?: number } => {
    const other = versionNumber(search['with']);
    return other === undefined ? {} : { with: other };
  },
  component: lazyRouteComponent(() => import('../versions/version-page.js'), 'VersionPage'),
});

export const versionRoutes = [versions, version] as const;
