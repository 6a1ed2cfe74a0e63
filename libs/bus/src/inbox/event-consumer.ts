import { inCall, ownCall } from '#lib/call-context';
import { type EventContract, EVENTS_STREAM, parseFromOtherVersion } from '#lib/contracts';
import { type Database, isDatabaseAway, type Transaction } from '#lib/database';
import { commonSubject } from '#lib/nats-auth';
import type { Logger } from '#lib/observability';
import { NO_TRACES, type SpanOptions, type Tracer } from '#lib/tracing';
import { type ConsumerMessages, jetstream, type JsMsg } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EventHandler } from './consumes.js';
import { declareConsumer } from './declare-consumer.js';

export interface ConsumerBinding {
  event: EventContract;
  concerns(sent: unknown): boolean;
  handle: EventHandler<unknown>;
}

/** An event for which nothing was sent for this long is delivered again: its consumer was lost. */
const ACK_WAIT_MS = 5_000;
const WORKING_MS = 1_500;
/** How many events one transaction carries out at most. */
const MAX_BATCH = 32;
const REDELIVER_MS = [100, 500, 2_000, 10_000, 30_000];
/** An event that failed so often by itself, and not for want of the database, costs the others a try this seldom. */
const HOPELESS_TRIES = 20;
const HOPELESS_MS = 10 * 60_000;
/** Of how many events it is remembered how often they failed. */
const MAX_FAILED = 10_000;
/**
 * Events that wait for another try count among those that are not acknowledged. What is delivered at once is bounded by
 * `max_messages`; this is how many may fail again and again before they hold up all others.
 */
const MAX_UNACKNOWLEDGED = 20_000;

/** An event that concerns this service, and what it does about it. */
interface Concern {
  id: string;
  message: JsMsg;
  effects: { payload: unknown; handle: EventHandler<unknown> }[];
}

/**
 * Delivers the events a service consumes, one after the other, in the order they were published. Those that came while
 * others were carried out share one transaction, unless one of them fails. The durable consumer is
 * named by the service, so replicas share it (and order holds within each of them, save for an event that failed and
 * is tried again: effects compare revisions or states where order matters). Inbox row and effect commit together and only then the event is
 * acknowledged. The stream and the consumer are declared again whenever they are gone.
 */
export class EventConsumer {
  private messages: ConsumerMessages | undefined;
  private stopped = false;
  private loop: Promise<void> | undefined;
  private readonly inHand = new Set<JsMsg>();
  private readonly waiting: JsMsg[] = [];
  private work: Promise<void> | undefined;
  private stillWorking: NodeJS.Timeout | undefined;
  /** How often an event failed, by its id. */
  private readonly failures = new Map<string, number>();
  private readonly bindings: Map<string, ConsumerBinding[]>;

  constructor(
    private readonly service: string,
    bindings: ConsumerBinding[],
    private readonly database: Database,
    private readonly connection: NatsConnection,
    private readonly logger: Logger,
    private readonly tracer: Tracer = NO_TRACES,
  ) {
    this.bindings = groupBySubject(bindings);
  }

  start(): void {
    if (this.bindings.size > 0) this.loop = this.run();
  }

  private async run(): Promise<void> {
    while (!this.stopped) {
      try {
        await this.declare();
        const consumer = await jetstream(this.connection).consumers.get(EVENTS_STREAM, this.service);
        this.messages = await consumer.consume({ max_messages: 64, expires: 5_000, abort_on_missing_resource: true });
        if (this.stopped) break;
        for await (const message of this.messages) this.take(message);
      } catch (error) {
        if (this.stopped) return;
        this.logger.warn({ err: error }, 'the event stream is not reachable; trying again');
      }
      if (!this.stopped) await sleep(500);
    }
  }

  private declare(): Promise<void> {
    return declareConsumer(this.connection, this.service, {
      ack_wait: ACK_WAIT_MS * 1e6,
      max_ack_pending: MAX_UNACKNOWLEDGED,
      filter_subject: commonSubject([...this.bindings.keys()]),
    });
  }

  /** Puts an event behind those in work. All of them are reported to the server (`working`): one that waits is not delivered again. */
  private take(message: JsMsg): void {
    this.inHand.add(message);
    this.waiting.push(message);
    this.stillWorking ??= setInterval(() => this.sendWorking(), WORKING_MS).unref();
    this.work ??= this.carryOutWaiting().finally(() => (this.work = undefined));
  }

  private async carryOutWaiting(): Promise<void> {
    while (this.waiting.length > 0) {
      const batch = this.waiting.splice(0, MAX_BATCH);
      try {
        if (this.stopped) for (const message of batch) message.nak();
        else await this.deliver(batch);
      } catch (error) {
        // The connection ended in between: the server delivers the events again.
        this.logger.warn({ err: error }, 'an event could not be acknowledged');
      }
      for (const message of batch) this.inHand.delete(message);
    }
  }

  private sendWorking(): void {
    if (!this.connection.isClosed()) for (const message of this.inHand) message.working();
  }

  private async deliver(messages: JsMsg[]): Promise<void> {
    const concerns = messages.flatMap((message) => this.concernOf(message) ?? []);
    if (concerns.length === 0) return;
    try {
      await this.database.transaction((tx) => this.carryOut(tx, concerns));
    } catch (error) {
      if (concerns.length === 1) return concerns.forEach(({ message }) => this.failed(message, error));
      // Each alone, so that the one that fails holds up no other.
      for (const { message } of concerns) await this.deliver([message]);
      return;
    }
    for (const { id, message } of concerns) {
      message.ack();
      this.failures.delete(id);
    }
  }

  /** What is to be done about an event; one about which nothing is to be done is acknowledged. */
  private concernOf(message: JsMsg): Concern | undefined {
    try {
      const id = message.headers?.get('roost-event-id');
      const effects = id ? this.effectsOf(message) : [];
      if (id && effects.length > 0) return { id, message, effects };
      message.ack();
    } catch (error) {
      this.failed(message, error);
    }
    return undefined;
  }

  private effectsOf(message: JsMsg): Concern['effects'] {
    const sent = message.json();
    return (this.bindings.get(message.subject) ?? [])
      .filter(({ concerns }) => concerns(sent))
      .map(({ event, handle }) => ({ payload: parseFromOtherVersion(event.payload, sent) as unknown, handle }));
  }

  private failed(message: JsMsg, error: unknown): void {
    const attempt = message.info.deliveryCount;
    this.logger.error(
      { err: error, subject: message.subject, attempt },
      'an event could not be carried out; it will be delivered again',
    );
    const isHopeless = !isDatabaseAway(error) && this.failedAgain(message) >= HOPELESS_TRIES;
    message.nak(isHopeless ? HOPELESS_MS : REDELIVER_MS[Math.min(attempt, REDELIVER_MS.length) - 1]);
  }

  private failedAgain({ headers }: JsMsg): number {
    const id = headers?.get('roost-event-id') ?? '';
    if (this.failures.size >= MAX_FAILED) this.failures.clear();
    const tries = (this.failures.get(id) ?? 0) + 1;
    this.failures.set(id, tries);
    return tries;
  }

  private async carryOut(tx: Transaction, concerns: Concern[]): Promise<void> {
    const rows = await tx.query<{ event_id: string }>(
      `INSERT INTO inbox (consumer, event_id) SELECT $1, unnest($2::uuid[]) ON CONFLICT DO NOTHING RETURNING event_id`,
      [this.service, concerns.map(({ id }) => id)],
    );
    const fresh = new Set(rows.map((row) => row.event_id));
    for (const { id, message, effects } of concerns) {
      // The same event may be in hand twice: delivered again before it was acknowledged.
      if (!fresh.delete(id)) continue;
      const context = {
        ...ownCall(message.headers?.get('roost-request-id') || `evt_${id}`),
        traceparent: message.headers?.get('traceparent') || undefined,
      };
      const effect = async () => {
        for (const { payload, handle } of effects) await handle(payload, tx, { id, subject: message.subject });
      };
      await inCall(context, () => this.tracer.span(message.subject, spanOptions(id, message), effect));
    }
  }

  /** Finishes the events in work, gives back those that wait behind them and takes no more. */
  async stop(): Promise<void> {
    this.stopped = true;
    await this.messages?.close();
    await this.loop;
    await this.work;
    clearInterval(this.stillWorking);
  }
}

const spanOptions = (id: string, { subject }: JsMsg): SpanOptions => ({
  kind: 'consumer',
  attributes: {
    'messaging.system': 'nats',
    'messaging.operation.name': 'process',
    'messaging.destination.name': subject,
    'messaging.message.id': id,
  },
});

function groupBySubject(bindings: ConsumerBinding[]): Map<string, ConsumerBinding[]> {
  const groups = new Map<string, ConsumerBinding[]>();
  for (const binding of bindings)
    groups.set(binding.event.subject, [...(groups.get(binding.event.subject) ?? []), binding]);
  return groups;
}
