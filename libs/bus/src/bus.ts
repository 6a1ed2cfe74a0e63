import { type CallContext, currentCall, currentTraceparent, ownCall } from '#lib/call-context';
import type { RequestContract } from '#lib/contracts';
import { newId } from '#lib/database';
import { type InProcessRegistry, requestInProcess, requestOverNats } from '#lib/rpc';
import { NO_TRACES, type Tracer } from '#lib/tracing';
import type { NatsConnection } from '@nats-io/transport-node';
import type { z } from 'zod';
import { type OnServed, tracedRequest } from './request-spans.js';

const HINT_PAUSE_MS = 20;

/** A service's requests and hints to the others. */
export class Bus {
  /** Subjects of the hints of the last moment, and whether there were more. */
  private readonly hinted = new Map<string, boolean>();
  private readonly stop = new AbortController();
  /** Aborted when the service begins to stop: requests that wait for something answer with what they have. */
  readonly stopping = this.stop.signal;

  constructor(
    /** The raw connection, for core NATS subscriptions (hints, live deltas). */
    readonly connection: NatsConnection,
    readonly service: string,
    /** The services of this process, if it runs several. */
    private readonly inProcess?: InProcessRegistry,
    /** Of the service's own spans. */
    readonly tracer: Tracer = NO_TRACES,
  ) {}

  /**
   * Sends a request to another service, as part of the current call unless another context is given.
   * Errors: those of the contract; SERVICE_UNAVAILABLE when nobody answers in time.
   */
  request<I extends z.ZodType, O extends z.ZodType>(
    contract: RequestContract<I, O>,
    input: z.output<I>,
    context: CallContext = currentCall() ?? ownCall(`req_${this.service}_${newId()}`),
  ): Promise<z.output<O>> {
    const answer = this.inProcess?.find(contract.subject);
    const isLocal = answer !== undefined;
    const parent = context.traceparent ?? currentTraceparent();
    const traced = parent === context.traceparent ? context : { ...context, traceparent: parent };
    const send = (sent: CallContext, onServed?: OnServed) =>
      answer
        ? requestInProcess(answer, contract, input, sent)
        : requestOverNats(this.connection, contract, input, sent, onServed);
    return this.tracer.isOn
      ? tracedRequest(this.tracer, { subject: contract.subject, isLocal }, traced, send)
      : send(traced);
  }

  /** Publishes a hint over core NATS: at most once, lost when nobody listens or the connection is down. */
  signal(subject: string, payload: unknown = {}): void {
    if (!this.connection.isClosed()) this.connection.publish(subject, JSON.stringify(payload));
  }

  /**
   * `signal` for hints that come often and mean no more the second time: those that follow the first within 20 ms are
   * published as one, at the end of that time.
   */
  hint(subject: string): void {
    if (this.hinted.has(subject)) {
      this.hinted.set(subject, true);
      return;
    }
    this.signal(subject);
    this.hinted.set(subject, false);
    setTimeout(() => {
      const isDue = this.hinted.get(subject);
      this.hinted.delete(subject);
      if (isDue) this.hint(subject);
    }, HINT_PAUSE_MS).unref();
  }

  /** Announces that the service begins to stop; called by `startService`. */
  beginStop(): void {
    this.stop.abort();
  }
}
