import type { CallContext } from './call-context.js';

/** Carries out a request in the given context; input, checked, and output in the form of the code. Errors: those of the contract. */
export type Answer = (input: unknown, context: CallContext) => Promise<unknown>;

/**
 * What services that run in one process know of each other: who answers which subject. Made by whoever starts them
 * together. A request to a neighbour needs no server in between; everything else, and all events and hints, go over
 * NATS as between processes.
 */
export class Neighbours {
  private readonly answers = new Map<string, Answer>();

  /** Has `answer` carry out requests to `subject` until the returned function is called. */
  serve(subject: string, answer: Answer): () => void {
    this.answers.set(subject, answer);
    return () => {
      if (this.answers.get(subject) === answer) this.answers.delete(subject);
    };
  }

  /** Who answers here; undefined when nobody does, so that the bus has to be asked. */
  find(subject: string): Answer | undefined {
    return this.answers.get(subject);
  }
}
