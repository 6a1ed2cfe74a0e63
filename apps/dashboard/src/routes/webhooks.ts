import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { deliveryStatus } from '../webhooks/delivery-words.js';
import type { DeliveryFilter } from '../webhooks/deliveries.js';
import { app, text } from './parents.js';

const byFilter = (search: Record<string, unknown>): DeliveryFilter => {
  const [status, event] = [deliveryStatus(search['status']), text(search['event'])];
  return { ...(status ? { status } : {}), ...(event ? { event } : {}) };
};

const endpoints = createRoute({
  getParentRoute: () => app,
  path: '/webhooks',
  component: lazyRouteComponent(() => import('../webhooks/webhooks-page.js'), 'WebhooksPage'),
});
const newEndpoint = createRoute({
  getParentRoute: () => app,
  path: '/webhooks/new',
  component: lazyRouteComponent(() => import('../webhooks/edit-endpoint-page.js'), 'NewEndpointPage'),
});
const endpoint = createRoute({
  getParentRoute: () => app,
  path: '/webhooks/$endpointId',
  validateSearch: byFilter,
  component: lazyRouteComponent(() => import('../webhooks/endpoint-page.js'), 'EndpointPage'),
});
const editEndpoint = createRoute({
  getParentRoute: () => app,
  path: '/webhooks/$endpointId/edit',
  component: lazyRouteComponent(() => import('../webhooks/edit-endpoint-page.js'), 'EditEndpointPage'),
});
const deliveries = createRoute({
  getParentRoute: () => app,
  path: '/webhooks/deliveries',
  validateSearch: byFilter,
  component: lazyRouteComponent(() => import('../webhooks/deliveries-page.js'), 'DeliveriesPage'),
});
const delivery = createRoute({
  getParentRoute: () => app,
  path: '/webhooks/deliveries/$deliveryId',
  component: lazyRouteComponent(() => import('../webhooks/delivery-page.js'), 'DeliveryPage'),
});

export const webhookRoutes = [endpoints, newEndpoint, endpoint, editEndpoint, deliveries, delivery] as const;
