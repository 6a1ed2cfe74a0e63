import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { type ExecutionStatus, executionStatus } from '../automation/execution-status.js';
import { agent, text } from './parents.js';

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

const channels = createRoute({
  getParentRoute: () => agent,
  path: '/channels',
  validateSearch: (search): { link?: string } => {
    const link = text(search['link']);
    return link ? { link } : {};
  },
  component: lazyRouteComponent(() => import('../channels/channels-page.js'), 'ChannelsPage'),
});

/** What wakes an agent: the clock, other systems, people elsewhere. */
export const automationRoutes = [
  schedules,
  newSchedule,
  schedule,
  editSchedule,
  triggers,
  newTrigger,
  trigger,
  editTrigger,
  channels,
] as const;
