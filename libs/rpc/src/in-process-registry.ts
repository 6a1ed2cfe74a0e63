import type { CallContext } from '#lib/call-context';
import { codeFormOf, PARSE_CONTEXT, type RequestContract } from '#lib/contracts';
import type { z } from 'zod';
import { timeLeft } from './client.js';
import { ANSWERED_LATE, unavailable } from './errors.js';
import { fitting } from './validation-error.js';

/** Carries out a request in the given context; input, checked, and output in the form of the code. Errors: those of the contract. */
export type Answer = (input: unknown, context: CallContext) => Promise<unknown>;

/**
 * The services that run in one process: who answers which subject. Made by whoever starts them together. A request to
 * one of them needs no server in between; everything else, and all events and hints, go over NATS as between processes.
 */
export class InProcessRegistry {
  private readonly answers = new Map<string, Answer>();

  /** Has `answer` carry out requests to `subject` until the returned function is called. */
  serve(subject: string, answer: Answer): () => void {
    this.answers.set(subject, answer);
    return () => {
      if (this.answers.get(subject) === answer) this.answers.delete(subject);
    };
  }

  /** Who answers here; undefined when nobody does, so that the request goes over NATS. */
  find(subject: string): Answer | undefined {
    return this.answers.get(subject);
  }
}

/**
 * Has a service in this process carry out a request: as `requestOverNats`, without a server in between. The input is
 * checked by the contract all the same, in the form it has here, so that what is stored is no more than the contract
 * knows; the output, which both sides' types promise, is handed over as it is and must not be changed by whoever gets it.
 * Errors: those of the contract; SERVICE_UNAVAILABLE when the time is over, and the work may still have been done.
 */
export async function requestInProcess<I extends z.ZodType, O extends z.ZodType>(
  answer: Answer,
  contract: RequestContract<I, O>,
  input: z.output<I>,
  context: CallContext,
): Promise<z.output<O>> {
  const timeout = timeLeft(contract, context);
  const work = answer(
    fitting(() => codeFormOf(contract.input).parse(input, PARSE_CONTEXT)),
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
