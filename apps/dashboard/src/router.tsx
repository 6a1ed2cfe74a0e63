import { createRoute, createRouter, lazyRouteComponent, redirect } from '@tanstack/react-router';
import { adminRoutes } from './routes/admin.js';
import { approvalRoutes } from './routes/approvals.js';
import { auditRoutes } from './routes/audit.js';
import { automationRoutes } from './routes/automation.js';
import { configurationRoutes } from './routes/configuration.js';
import { mcpCallbackRoute, mcpRoutes } from './routes/mcp.js';
import { agent, app, root, text } from './routes/parents.js';
import { fileRoutes } from './routes/files.js';
import { agentSecretsRoute, vaultRoute } from './routes/vault.js';
import { webhookRoutes } from './routes/webhooks.js';
import { runRoutes } from './routes/runs.js';
import { settingsRoutes } from './routes/settings.js';
import { usageRoutes } from './routes/usage.js';
import { versionRoutes } from './routes/versions.js';
import { versionNumber } from './versions/version-number.js';

/**
 * Every address of the dashboard. A screen is a folder, a route here or in a file of `routes/`, and a line in
 * `shell/navigation.ts` or `agents/agent-tabs.ts`; it is loaded when it is opened.
 */

/** Within the dashboard alone: an address of elsewhere in a link leads nowhere. */
const ownPath = (value: unknown) => (typeof value === 'string' && /^\/(?![/\\])/.test(value) ? value : undefined);

const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  validateSearch: (search): { to?: string } => {
    const to = ownPath(search['to']);
    return to === undefined ? {} : { to };
  },
  component: lazyRouteComponent(() => import('./session/sign-in-page.js'), 'SignInPage'),
});

const oauthCallback = createRoute({
  getParentRoute: () => root,
  path: '/sign-in/callback',
  validateSearch: (search) => ({
    code: text(search['code']),
    state: text(search['state']),
    iss: text(search['iss']),
    error: text(search['error_description']) ?? text(search['error']),
  }),
  component: lazyRouteComponent(() => import('./session/oauth-callback-page.js'), 'OAuthCallbackPage'),
});

const home = createRoute({
  getParentRoute: () => app,
  path: '/',
  beforeLoad: () => {
    redirect({ to: '/agents', replace: true, throw: true });
  },
});

const agents = createRoute({
  getParentRoute: () => app,
  path: '/agents',
  validateSearch: (search): { q?: string; status?: string } => {
    const [q, status] = [text(search['q']), text(search['status'])];
    return { ...(q ? { q } : {}), ...(status ? { status } : {}) };
  },
  component: lazyRouteComponent(() => import('./agents/agents-page.js'), 'AgentsPage'),
});

const newAgent = createRoute({
  getParentRoute: () => app,
  path: '/agents/new',
  validateSearch: (search): { template?: string } => {
    const template = text(search['template']);
    return template === undefined ? {} : { template };
  },
  component: lazyRouteComponent(() => import('./agents/new-agent-page.js'), 'NewAgentPage'),
});

const agentHome = createRoute({
  getParentRoute: () => agent,
  path: '/',
  beforeLoad: ({ params }) => {
    redirect({ to: '/agents/$agentId/chat', params, replace: true, throw: true });
  },
});

const chat = createRoute({
  getParentRoute: () => agent,
  path: '/chat',
  validateSearch: (search): { conversation?: string; message?: string; version?: number } => {
    const [conversation, message] = [text(search['conversation']), text(search['message'])];
    const version = versionNumber(search['version']);
    return {
      ...(conversation ? { conversation } : {}),
      ...(message ? { message } : {}),
      ...(version ? { version } : {}),
    };
  },
  component: lazyRouteComponent(() => import('./chat/chat-page.js'), 'ChatPage'),
});

const routeTree = root.addChildren([
  signIn,
  oauthCallback,
  app.addChildren([
    home,
    agents,
    newAgent,
    ...approvalRoutes,
    ...webhookRoutes,
    ...usageRoutes,
    ...auditRoutes,
    ...settingsRoutes,
    ...adminRoutes,
    vaultRoute,
    mcpCallbackRoute,
    agent.addChildren([
      agentHome,
      chat,
      ...runRoutes,
      ...fileRoutes,
      ...automationRoutes,
      ...mcpRoutes,
      agentSecretsRoute,
      ...configurationRoutes,
      ...versionRoutes,
    ]),
  ]),
]);

export const router = createRouter({
  routeTree,
  defaultPreload: 'intent',
  defaultPreloadStaleTime: 0,
  // What a route's validation leaves out of an address is left out: without this its screen would get it all the same.
  search: { strict: true },
  // Values of searches as they are written, not as JSON: addresses are read and typed by people.
  parseSearch: (search) => Object.fromEntries(new URLSearchParams(search)),
  stringifySearch: (search) => {
    const given = Object.entries(search).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, String(value)]],
    );
    const query = new URLSearchParams(given).toString();
    return query && `?${query}`;
  },
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
