import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { app } from './parents.js';

const approvals = createRoute({
  getParentRoute: () => app,
  path: '/approvals',
  validateSearch: (search): { view?: 'all' } => (search['view'] === 'all' ? { view: 'all' } : {}),
  component: lazyRouteComponent(() => import('../approvals/approvals-page.js'), 'ApprovalsPage'),
});
const approval = createRoute({
  getParentRoute: () => app,
  path: '/approvals/$approvalId',
  component: lazyRouteComponent(() => import('../approvals/approval-page.js'), 'ApprovalPage'),
});

export const approvalRoutes = [approvals, approval] as const;
