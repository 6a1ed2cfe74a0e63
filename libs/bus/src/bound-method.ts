import type { INestApplicationContext, Type } from '@nestjs/common';

/** Where a decorator found the method that it marks. */
export interface MethodPlace {
  controller: Type;
  method: string;
}

/** The place of a method, as a decorator of it sees it. */
export function placeOf(target: object, key: string): MethodPlace {
  return { controller: target.constructor as Type, method: key };
}

/** The method on the one controller that Nest made, to be called without what Nest would put before it (ADR 0023). */
export function boundMethod<F extends (...args: never[]) => unknown>(
  app: INestApplicationContext,
  { controller, method }: MethodPlace,
): F {
  const instance = app.get<Record<string, F>>(controller, { strict: false });
  const found = instance[method];
  if (!found) throw new Error(`${controller.name} has no method ${method}`);
  return found.bind(instance) as F;
}
