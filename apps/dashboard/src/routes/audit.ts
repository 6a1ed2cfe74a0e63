import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { auditFilter } from '../audit/audit-filter.js';
import { app } from './parents.js';

const audit = createRoute({
  getParentRoute: () => app,
  path: '/audit',
  validateSearch: auditFilter,
  component: lazyRouteComponent(() => import('../audit/audit-page.js'), 'AuditPage'),
});

export const auditRoutes = [audit] as const;
