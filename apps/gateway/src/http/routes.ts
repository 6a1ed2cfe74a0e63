import { RequestMethod } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { type DeclaredSchemas, schemasOf } from './arguments.js';
import { definitionOf, type EndpointDefinition, tagOf } from './endpoint.js';

export type Controller = new (...parameters: never[]) => object;

/** A method that Nest makes a route of. */
export interface Route extends DeclaredSchemas {
  controller: Controller;
  name: string;
  method: string;
  /** Of the whole URL, as Fastify writes it: `:name`, `:name(one|other)`, a last `*`. */
  path: string;
  tag: string;
  endpoint: EndpointDefinition | undefined;
}

export function routesOf(controllers: readonly Controller[]): Route[] {
  return controllers.flatMap((controller) =>
    Object.getOwnPropertyNames(controller.prototype).flatMap((name) => {
      const handler = Object.getOwnPropertyDescriptor(controller.prototype, name)?.value as unknown;
      const method =
        typeof handler === 'function' ? (Reflect.getMetadata(METHOD_METADATA, handler) as number) : undefined;
      if (method === undefined) return [];
      const [prefix, own] = [controller, handler as object].map((of) => pathOf(of));
      return [
        {
          controller,
          name,
          method: RequestMethod[method] ?? '',
          path: `/${[prefix, own].filter(Boolean).join('/')}`,
          tag: tagOf(controller),
          endpoint: definitionOf(handler as object),
          ...schemasOf(controller, name),
        },
      ];
    }),
  );
}

/** Nest writes no path at all as `/`. */
const pathOf = (of: object) => String(Reflect.getMetadata(PATH_METADATA, of) ?? '').replace(/^\/$/, '');
