import { type CallContext, inCall } from '#lib/call-context';
import type { RequestContract } from '#lib/contracts';
import { type InProcessRegistry, reply } from '#lib/rpc';
import { NO_TRACES, type Tracer } from '#lib/tracing';
import { ServerNats } from '@nestjs/microservices';
import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node';
import { isObservable, lastValueFrom } from 'rxjs';
import type { HandlerExtras } from './handles.js';
import { rpcAttributes } from './request-spans.js';

/** A handler as Nest registered it, its guards, pipes and exception filter included. */
type NestHandler = (input: unknown, context: CallContext, subject: string) => Promise<unknown>;

interface Served {
  contract: RequestContract;
  handle(input: unknown, context: CallContext): Promise<unknown>;
}

/**
 * Nest's NATS transport on the service's own connection, in the wire format of `libs/rpc`: Nest finds the handlers,
 * subscribes and calls them; how a request, its context and its errors are written is ours.
 */
export class BusServer extends ServerNats {
  private readonly inWork = new Set<Promise<unknown>>();
  private readonly unregister: (() => void)[] = [];
  private readonly served = new Map<string, Served>();

  constructor(
    private readonly connection: NatsConnection,
    queue: string,
    private readonly onUnexpected: (error: unknown, subject: string) => void,
    private readonly tracer: Tracer = NO_TRACES,
  ) {
    super({ queue });
  }

  override createNatsClient(): Promise<NatsConnection> {
    return Promise.resolve(this.connection);
  }

  override async handleMessage(channel: string, message: Msg): Promise<void> {
    const served = this.servedBy(channel);
    if (served) await this.untilDone(reply(message, served.contract, this.traced(served, false), this.onUnexpected));
  }

  /** Answers the other services of this process without NATS in between, until `close`. */
  serveInProcess(registry: InProcessRegistry): void {
    for (const subject of this.getHandlers().keys()) {
      const served = this.servedBy(subject);
      if (!served) continue;
      this.unregister.push(
        registry.serve(subject, (input, context) =>
          this.untilDone(inCall(context, async () => this.traced(served, true)(input, context))),
        ),
      );
    }
  }

  /** The handler in a span of its own, which its own requests and statements belong to. */
  private traced({ contract, handle }: Served, isLocal: boolean): Served['handle'] {
    if (!this.tracer.isOn) return handle;
    const { subject } = contract;
    return (input, context) =>
      this.tracer.span(
        subject,
        { kind: 'server', parent: context.traceparent, attributes: rpcAttributes(subject, isLocal) },
        (span) => handle(input, span ? { ...context, traceparent: span.traceparent } : context),
      );
  }

  private servedBy(subject: string): Served | undefined {
    const known = this.served.get(subject);
    if (known) return known;
    const handler = this.getHandlerByPattern(subject);
    const extras = handler?.extras as HandlerExtras | undefined;
    if (!handler || !extras) return undefined;
    const call = handler as unknown as NestHandler;
    const served: Served = {
      contract: extras.contract,
      async handle(input, context) {
        const result = await call(input, context, subject);
        // The exception filter's, or an interceptor's if somebody adds one.
        return isObservable(result) ? lastValueFrom(result) : result;
      },
    };
    this.served.set(subject, served);
    return served;
  }

  private async untilDone<T>(work: Promise<T>): Promise<T> {
    this.inWork.add(work);
    return work.finally(() => this.inWork.delete(work));
  }

  /** Takes no more requests and waits for those in work. The connection belongs to the service and stays open. */
  override async close(): Promise<void> {
    for (const unregister of this.unregister) unregister();
    const { subscriptions } = this as unknown as { subscriptions: Subscription[] };
    // Nest closes the server once more when it shuts down: by then there is nothing left to drain.
    const open = this.connection.isClosed()
      ? []
      : subscriptions.filter((subscription) => !subscription.isClosed() && !subscription.isDraining());
    await Promise.all(open.map((subscription) => subscription.drain()));
    await Promise.allSettled(this.inWork);
  }
}
