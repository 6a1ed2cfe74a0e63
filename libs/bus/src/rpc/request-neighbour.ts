import { codeFormOf, type RequestContract } from '#lib/contracts';
import type { z } from 'zod';
import type { CallContext } from './call-context.js';
import { fitting } from './error-reply.js';
import { timeLeft } from './time-left.js';
import { ANSWERED_LATE, unavailable } from './unavailable.js';
import type { Answer } from './neighbours.js';

/**
 * Has a service in this process carry out a request: as `requestOverNats`, without a server in between. The input is
 * checked by the contract all the same, in the form it has here, so that what is stored is no more than the contract
 * knows; the output, which both sides' types promise, is handed over as it is and must not be changed by whoever gets it.
 * Errors: those of the contract; SERVICE_UNAVAILABLE when the time is over, and the work may still have been done.
 */
export async function requestNeighbour<I extends z.ZodType, O extends z.ZodType>(
  answer: Answer,
  contract: RequestContract<I, O>,
  input: z.output<I>,
  context: CallContext,
): Promise<z.output<O>> {
  const timeout = timeLeft(contract, context);
  const work = answer(
    fitting(() => codeFormOf(contract.input).parse(input)),
    { ...context, deadline: Date.now() + timeout },
  );
  return (await within(timeout, work, contract)) as z.output<O>;
}

function within(ms: number, work: Promise<unknown>, contract: RequestContract): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(unavailable(contract, ANSWERED_LATE)), ms);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
