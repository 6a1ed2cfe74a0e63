import { createRootRoute, createRoute, lazyRouteComponent, Outlet, redirect } from '@tanstack/react-router';
import { agentsQuery } from '../agents/agents.js';
import { queryClient } from '../api/query-client.js';
import { pendingQuery } from '../approvals/approvals.js';
import { sessionQuery } from '../session/session.js';
import { ErrorPage, NotFoundPage } from '../shell/error-page.js';
import { Shell } from '../shell/shell.js';

/** What the addresses of all screens are made under: `app` for whoever is signed in, `agent` for one agent. */
export const root = createRootRoute({ component: Outlet, notFoundComponent: NotFoundPage, errorComponent: ErrorPage });

export const app = createRoute({
  getParentRoute: () => root,
  id: 'app',
  component: Shell,
  beforeLoad: async ({ location }) => {
    const user = await queryClient.ensureQueryData(sessionQuery);
    if (!user) redirect({ to: '/sign-in', search: { to: location.href }, replace: true, throw: true });
    // What the sidebar shows, before it is drawn.
    for (const shown of [agentsQuery, pendingQuery])
      if (!queryClient.getQueryState(shown.queryKey)) void queryClient.prefetchQuery(shown as typeof agentsQuery);
    return { user };
  },
});

export const agent = createRoute({
  getParentRoute: () => app,
  path: '/agents/$agentId',
  component: lazyRouteComponent(() => import('../agents/agent-layout.js'), 'AgentLayout'),
});

/** Of a search: addresses are typed by people. */
export const text = (value: unknown) => (typeof value === 'string' ? value : undefined);
