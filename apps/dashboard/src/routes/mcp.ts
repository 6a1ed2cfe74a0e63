import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { agent, app, text } from './parents.js';

const servers = createRoute({
  getParentRoute: () => agent,
  path: '/mcp',
  component: lazyRouteComponent(() => import('../mcp/mcp-page.js'), 'McpPage'),
});
const newServer = createRoute({
  getParentRoute: () => agent,
  path: '/mcp/new',
  component: lazyRouteComponent(() => import('../mcp/edit-server-page.js'), 'NewServerPage'),
});
const server = createRoute({
  getParentRoute: () => agent,
  path: '/mcp/$serverId',
  component: lazyRouteComponent(() => import('../mcp/server-page.js'), 'McpServerPage'),
});
const editServer = createRoute({
  getParentRoute: () => agent,
  path: '/mcp/$serverId/edit',
  component: lazyRouteComponent(() => import('../mcp/edit-server-page.js'), 'EditServerPage'),
});

export const mcpRoutes = [servers, newServer, server, editServer] as const;

/** Where authorization servers send the browser back to. */
export const mcpCallbackRoute = createRoute({
  getParentRoute: () => app,
  path: '/mcp/callback',
  validateSearch: (search) => ({
    code: text(search['code']),
    state: text(search['state']),
    error: text(search['error_description']) ?? text(search['error']),
  }),
  component: lazyRouteComponent(() => import('../mcp/mcp-callback-page.js'), 'McpCallbackPage'),
});
