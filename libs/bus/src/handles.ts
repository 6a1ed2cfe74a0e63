import type { CallContext } from '#lib/call-context';
import type { RequestContract } from '#lib/contracts';
import { MessagePattern } from '@nestjs/microservices';
import type { z } from 'zod';
import { type MethodPlace, placeOf } from './bound-method.js';

/** What Nest carries along with a handler: the contract to decode and encode by, and where the method is. */
export interface HandlerExtras extends MethodPlace {
  contract: RequestContract;
}

/**
 * Serves a contract's requests with this method: `(input, context) => output`, both in the code's form.
 * The decorated class is a Nest `@Controller()`.
 */
export function Handles<I extends z.ZodType, O extends z.ZodType>(contract: RequestContract<I, O>) {
  return <F extends (input: z.output<I>, context: CallContext) => z.output<O> | Promise<z.output<O>>>(
    target: object,
    key: string,
    descriptor: TypedPropertyDescriptor<F>,
  ): void => {
    const extras = { contract, ...placeOf(target, key) } satisfies HandlerExtras;
    MessagePattern(contract.subject, extras)(target, key, descriptor as PropertyDescriptor);
  };
}
