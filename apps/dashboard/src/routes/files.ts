import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { agent, text } from './parents.js';

const files = createRoute({
  getParentRoute: () => agent,
  path: '/files',
  validateSearch: (search): { path?: string; line?: number; q?: string } => {
    const [path, q, line] = [text(search['path']), text(search['q']), Number(search['line'])];
    return {
      ...(path ? { path } : {}),
      ...(Number.isSafeInteger(line) && line > 0 ? { line } : {}),
      ...(q ? { q } : {}),
    };
  },
  component: lazyRouteComponent(() => import('../files/files-page.js'), 'FilesPage'),
});

export const fileRoutes = [files] as const;
