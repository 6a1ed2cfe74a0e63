import { type CallContext, inCall } from '#lib/call-context';
import { type Answer, asRoostError, type InProcessRegistry, reply } from '#lib/rpc';
import type { INestApplicationContext } from '@nestjs/common';
import { ServerNats } from '@nestjs/microservices';
import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node';
import { boundMethod } from './bound-method.js';
import type { HandlerExtras } from './handles.js';

type Serve = (input: unknown, context: CallContext) => Promise<unknown>;

/**
 * Nest's NATS transport on the service's own connection, in the wire format of `libs/rpc`. Nest finds the handlers
 * and subscribes; the methods are called directly, since nobody uses what Nest would put before them (guards, pipes,
 * interceptors over observables). Payload, errors and context are ours.
 */
export class BusServer extends ServerNats {
  private readonly inWork = new Set<Promise<unknown>>();
  private readonly unregister: (() => void)[] = [];
  private readonly methods = new Map<HandlerExtras, Serve>();
  private app: INestApplicationContext | undefined;

  constructor(
    private readonly connection: NatsConnection,
    queue: string,
    private readonly onUnexpected: (error: unknown, subject: string) => void,
  ) {
    super({ queue });
  }

  /** Gives it the application that holds the controllers; to be called before it listens. */
  serves(app: INestApplicationContext): void {
    this.app = app;
  }

  override createNatsClient(): Promise<NatsConnection> {
    return Promise.resolve(this.connection);
  }

  override async handleMessage(channel: string, message: Msg): Promise<void> {
    const extras = this.getHandlerByPattern(channel)?.extras as HandlerExtras | undefined;
    if (extras) await this.untilDone(reply(message, extras.contract, this.methodOf(extras), this.onUnexpected));
  }

  private async untilDone<T>(work: Promise<T>): Promise<T> {
    this.inWork.add(work);
    return work.finally(() => this.inWork.delete(work));
  }

  /** Answers the other services of this process without NATS in between, until `close`. */
  serveInProcess(registry: InProcessRegistry): void {
    for (const [subject, handler] of this.getHandlers()) {
      const extras = handler.extras as HandlerExtras | undefined;
      if (!extras) continue;
      const method = this.methodOf(extras);
      const answer: Answer = async (input, context) => {
        const work = inCall(context, async () => method(input, context));
        return this.untilDone(work).catch((error: unknown) => {
          throw asRoostError(error, (unexpected) => this.onUnexpected(unexpected, subject));
        });
      };
      this.unregister.push(registry.serve(subject, answer));
    }
  }

  private methodOf(extras: HandlerExtras): Serve {
    const known = this.methods.get(extras);
    if (known) return known;
    const method = boundMethod<Serve>(this.app!, extras);
    this.methods.set(extras, method);
    return method;
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
