import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { ENDPOINT, type EndpointDefinition } from './endpoint.js';

type Controller = new (...parameters: never[]) => object;

/**
 * Every route says who may call it, whose data it touches and how its path's ids are checked, or the gateway does not
 * start. Errors: one that names each route and what it leaves open.
 */
export function checkRoutes(controllers: readonly Controller[]): void {
  const complaints = controllers.flatMap((controller) =>
    Object.getOwnPropertyNames(controller.prototype).flatMap((name) => {
      const handler = Object.getOwnPropertyDescriptor(controller.prototype, name)?.value as unknown;
      if (typeof handler !== 'function' || Reflect.getMetadata(METHOD_METADATA, handler) === undefined) return [];
      const definition = Reflect.getMetadata(ENDPOINT, handler) as EndpointDefinition | undefined;
      const prefix = String(Reflect.getMetadata(PATH_METADATA, controller) ?? '');
      return leftOpen(definition, prefix).map((complaint) => `  ${controller.name}.${name} ${complaint}`);
    }),
  );
  if (complaints.length > 0) throw new Error(`routes are not declared completely:\n${complaints.join('\n')}`);
}

function leftOpen(definition: EndpointDefinition | undefined, prefix: string): string[] {
  if (!definition) return ['has no @Endpoint: nothing says who may call it'];
  const { access, tenant, path, params } = definition;
  return [
    ...(access === 'public' && (tenant === undefined || tenant === 'account')
      ? ['is public and does not say whose data it touches: set tenant to proof or none']
      : []),
    ...(access !== 'public' && tenant !== undefined && tenant !== 'account'
      ? ['is of an account, so its tenant must be account']
      : []),
    ...(/[:*]/.test(`${prefix}/${path}`) && !params ? ['has ids in its path and no schema that checks them'] : []),
  ];
}
