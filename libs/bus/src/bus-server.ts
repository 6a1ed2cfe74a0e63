import type { RequestContract } from '#lib/contracts';
import { type ArgumentsHost, Catch, type RpcExceptionFilter } from '@nestjs/common';
import { ServerNats } from '@nestjs/microservices';
import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node';
import { lastValueFrom, type Observable, throwError } from 'rxjs';
import { type Answer, asRoostError, type CallContext, carryOut, type Neighbours, reply } from './rpc/index.js';
import type { HandlerExtras } from './handles.js';

type NestHandler = (input: unknown, context: CallContext) => Promise<unknown>;

/**
 * Nest's NATS transport on the service's own connection, speaking the form of `libs/bus/rpc`: handlers are
 * ordinary Nest message handlers with guards, pipes and interceptors; payload, errors and context are ours.
 */
export class BusServer extends ServerNats {
  private readonly inWork = new Set<Promise<unknown>>();
  private readonly leaveNeighbours: (() => void)[] = [];

  constructor(
    private readonly connection: NatsConnection,
    queue: string,
    private readonly onUnexpected: (error: unknown, subject: string) => void,
  ) {
    super({ queue });
  }

  override createNatsClient(): Promise<NatsConnection> {
    return Promise.resolve(this.connection);
  }

  override async handleMessage(channel: string, message: Msg): Promise<void> {
    const handler = this.getHandlerByPattern(channel);
    const contract = (handler?.extras as HandlerExtras | undefined)?.contract;
    if (!handler || !contract) return;
    const work = reply(
      message,
      contract as RequestContract,
      (input, context) => this.run(handler as unknown as NestHandler, input, context),
      this.onUnexpected,
    );
    await this.untilDone(work);
  }

  private async untilDone<T>(work: Promise<T>): Promise<T> {
    this.inWork.add(work);
    return work.finally(() => this.inWork.delete(work));
  }

  /** Answers the other services of this process without NATS in between, until `close`. */
  answerNeighbours(neighbours: Neighbours): void {
    for (const [subject, handler] of this.getHandlers()) {
      const contract = (handler.extras as HandlerExtras | undefined)?.contract;
      if (!contract) continue;
      const answer: Answer = async (payload, context) => {
        const work = carryOut(contract, payload, context, (input, call) =>
          this.run(handler as unknown as NestHandler, input, call),
        );
        return this.untilDone(work).catch((error: unknown) => {
          throw asRoostError(error, (unexpected) => this.onUnexpected(unexpected, subject));
        });
      };
      this.leaveNeighbours.push(neighbours.serve(subject, answer));
    }
  }

  private async run(handler: NestHandler, input: unknown, context: CallContext): Promise<unknown> {
    return lastValueFrom(this.transformToObservable(await handler(input, context)) as Observable<unknown>);
  }

  /** Takes no more requests and waits for those in work. The connection belongs to the service and stays open. */
  override async close(): Promise<void> {
    for (const leave of this.leaveNeighbours) leave();
    const { subscriptions } = this as unknown as { subscriptions: Subscription[] };
    // Nest closes the server once more when it shuts down: by then there is nothing left to drain.
    const open = this.connection.isClosed()
      ? []
      : subscriptions.filter((subscription) => !subscription.isClosed() && !subscription.isDraining());
    await Promise.all(open.map((subscription) => subscription.drain()));
    await Promise.allSettled(this.inWork);
  }
}

/** Hands a handler's error to the transport as it is: Nest would replace it by 'Internal server error'. */
@Catch()
export class ErrorsPassThrough implements RpcExceptionFilter {
  catch(error: unknown, _host: ArgumentsHost): Observable<never> {
    return throwError(() => (error instanceof Error ? error : asRoostError(error, () => undefined)));
  }
}
