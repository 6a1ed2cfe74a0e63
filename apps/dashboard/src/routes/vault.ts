import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { agent, app, text } from './parents.js';

export const vaultRoute = createRoute({
  getParentRoute: () => app,
  path: '/settings/vault',
  validateSearch: (search): { edit?: string } => {
    const edit = text(search['edit']);
    return edit === undefined ? {} : { edit };
  },
  component: lazyRouteComponent(() => import('../vault/vault-page.js'), 'VaultPage'),
});

export const agentSecretsRoute = createRoute({
  getParentRoute: () => agent,
  path: '/secrets',
  component: lazyRouteComponent(() => import('../vault/agent-secrets-page.js'), 'AgentSecretsPage'),
});
