import type { CallContext } from '#lib/call-context';
import type { RequestContract } from '#lib/contracts';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import type { z } from 'zod';

/** What Nest carries along with a handler: the contract to decode and encode by. */
export interface HandlerExtras {
  contract: RequestContract;
}

/**
 * Serves a contract's requests with this method: `(input, context) => output`, both in the code's form.
 * The decorated class is a Nest `@Controller()`; guards, pipes and exception filters apply as Nest documents them.
 */
export function Handles<I extends z.ZodType, O extends z.ZodType>(contract: RequestContract<I, O>) {
  return <F extends (input: z.output<I>, context: CallContext) => z.output<O> | Promise<z.output<O>>>(
    target: object,
    key: string,
    descriptor: TypedPropertyDescriptor<F>,
  ): void => {
    Payload()(target, key, 0);
    Ctx()(target, key, 1);
    const extras = { contract } satisfies HandlerExtras;
    MessagePattern(contract.subject, extras)(target, key, descriptor as PropertyDescriptor);
  };
}
