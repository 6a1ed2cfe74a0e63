import { type Controller, type Route, routesOf } from './routes.js';

/**
 * Every route declares who may call it, whose data it touches and how its path's ids are checked, or the gateway does
 * not start. Errors: one that names each route and what it leaves open.
 */
export function checkRoutes(controllers: readonly Controller[]): void {
  const complaints = routesOf(controllers).flatMap((route) =>
    leftOpen(route).map((complaint) => `  ${route.controller.name}.${route.name} ${complaint}`),
  );
  if (complaints.length > 0) throw new Error(`routes are not declared completely:\n${complaints.join('\n')}`);
}

function leftOpen({ endpoint, path, params, tag }: Route): string[] {
  if (!endpoint) return ['has no @Endpoint: nothing states who may call it'];
  const { access, tenant } = endpoint;
  return [
    ...(access === 'public' && (tenant === undefined || tenant === 'account')
      ? ['is public and does not state whose data it touches: set tenant to proof or none']
      : []),
    ...(access === 'operator' && tenant !== 'any' ? ['is for operators, so its tenant must be any'] : []),
    ...(access !== 'public' && access !== 'operator' && tenant !== undefined && tenant !== 'account'
      ? ['is of an account, so its tenant must be account']
      : []),
    ...(/[:*]/.test(path) && !params ? ['has ids in its path and no @Param schema that checks them'] : []),
    ...(tag === '' ? ['is of a controller without @Tag'] : []),
  ];
}
