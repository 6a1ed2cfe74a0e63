import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { type ExecutionStatus, executionStatus } from '../automation/execution-status.js';
import { agent } from './parents.js';

const byStatus = (search: Record<string, unknown>): { status?: ExecutionStatus } => {
  const status = executionStatus(search['status']);
  return status === undefined ? {} : { status };
};

const schedules = createRoute({
  getParentRoute: () => agent,
  path: '/schedules',
  component: lazyRouteComponent(() => import('../schedules/schedules-page.js'), 'SchedulesPage'),
});
const newSchedule = createRoute({
  getParentRoute: () => agent,
  path: '/schedules/new',
  component: lazyRouteComponent(() => import('../schedules/edit-schedule-page.js'), 'NewSchedulePage'),
});
const schedule = createRoute({
  getParentRoute: () => agent,
  path: '/schedules/$scheduleId',
  validateSearch: byStatus,
  component: lazyRouteComponent(() => import('../schedules/schedule-page.js'), 'SchedulePage'),
});
const editSchedule = createRoute({
  getParentRoute: () => agent,
  path: '/schedules/$scheduleId/edit',
  component: lazyRouteComponent(() => import('../schedules/edit-schedule-page.js'), 'EditSchedulePage'),
});

const triggers = createRoute({
  getParentRoute: () => agent,
  path: '/triggers',
  component: lazyRouteComponent(() => import('../triggers/triggers-page.js'), 'TriggersPage'),
});
const newTrigger = createRoute({
  getParentRoute: () => agent,
  path: '/triggers/new',
  component: lazyRouteComponent(() => import('../triggers/edit-trigger-page.js'), 'NewTriggerPage'),
});
const trigger = createRoute({
  getParentRoute: () => agent,
  path: '/triggers/$triggerId',
  validateSearch: byStatus,
  component: lazyRouteComponent(() => import('../triggers/trigger-page.js'), 'TriggerPage'),
});
const editTrigger = createRoute({
  getParentRoute: () => agent,
  path: '/triggers/$triggerId/edit',
  component: lazyRouteComponent(() => import('../triggers/edit-trigger-page.js'), 'EditTriggerPage'),
});

/** What an agent does without being spoken to. */
export const automationRoutes = [
  schedules,
  newSchedule,
  schedule,
  editSchedule,
  triggers,
  newTrigger,
  trigger,
  editTrigger,
] as const;
