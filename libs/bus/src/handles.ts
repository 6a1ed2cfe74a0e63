import type { RequestContract } from '#lib/contracts';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import type { z } from 'zod';
import type { CallContext } from './rpc/index.js';

/** What Nest carries along with a handler, so that the server can decode and encode by the contract. */
export interface HandlerExtras {
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
    MessagePattern(contract.subject, { contract } satisfies HandlerExtras)(
      target,
      key,
      descriptor as PropertyDescriptor,
    );
    // Without these Nest would hand over the payload alone.
    Payload()(target, key, 0);
    Ctx()(target, key, 1);
  };
}
