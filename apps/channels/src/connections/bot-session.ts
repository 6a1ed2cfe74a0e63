import { type LiveEvent } from '#lib/contracts';
import type { Database } from '#lib/database';
import type { Logger } from '#lib/observability';
import type { SpanAttributes, Tracer } from '#lib/tracing';
import type { Content } from '#lib/workspace-client';
import {
  type Connection,
  DeliveryError,
  type InboundMessage,
  type WebhookAnswer,
  type WebhookRequest,
} from '../adapters/channel-adapter.js';
import { type InboundRow, storeInbound } from '../inbound/inbound-events.repository.js';
import { InboundWorker } from '../inbound/inbound-worker.js';
import type { ReceiveMessageService } from '../inbound/receive-message.service.js';
import { attachedFiles } from '../outbound/attached-files.js';
import { ChatMoves } from '../outbound/chat-moves.js';
import type { Failure, Outlet } from '../outbound/deliver.js';
import type { Lane } from '../outbound/deliveries.repository.js';
import { DeliveryLane } from '../outbound/delivery-lane.js';
import { LivePreview, type PreviewPlace } from '../outbound/live-preview.js';
import { showRepaired } from '../outbound/repair.js';
import type { Bot } from './bots.service.js';
import { recordState } from './channel-states.service.js';
import { connectionMemory, type Lease } from './leases.repository.js';
import { Typing } from './typing.js';

const MAX_WAITING = 10_000;
const NOT_HANDLED =
  'This message did not reach the agent: something goes wrong with it on our side, each time. Others do.';

/** What a session needs of its service. */
export interface SessionServices {
  database: Database;
  receiver: ReceiveMessageService;
  content: Content;
  tracer: Tracer;
  logger: Logger;
}

/** What this replica does for one bot while it holds the lease: receives, delivers, previews. */
export class BotSession {
  private readonly connection: Connection;
  private readonly outlet: Outlet;
  private readonly moves: ChatMoves;
  private readonly inbox: InboundWorker;
  private readonly typing: Typing;
  /** Sends and edits happen one after the other, so that a preview never overwrites the finished reply. */
  private readonly lanes: Record<Lane, Promise<void>> = { text: Promise.resolve(), file: Promise.resolve() };
  private readonly deliveries: Record<Lane, DeliveryLane>;
  private states: Promise<void> = Promise.resolve();
  private isClosed = false;
  private readonly timer: NodeJS.Timeout;
  /** By the message they will answer: where a turn's live text is to be shown. */
  private readonly waiting = new Map<string, PreviewPlace>();
  private readonly previews = new Map<string, LivePreview>();

  constructor(
    private readonly services: SessionServices,
    readonly bot: Bot,
    readonly lease: Lease,
  ) {
    const { database, content, tracer } = services;
    const { adapter, botId } = bot;
    const logProblem = (error: unknown) => this.logProblem(error);
    this.moves = new ChatMoves(database, { platform: adapter.platform, botId });
    this.inbox = new InboundWorker(
      database,
      { platform: adapter.platform, botId },
      (row) => this.work(row),
      logProblem,
      ({ message }) => this.answer({ ...message, place: this.moves.original(message.place) }, NOT_HANDLED),
    );
    this.connection = adapter.connect(bot.credentials, {
      onMessage: (message) => this.onMessage(message),
      onState: (state) => {
        this.states = this.states.then(() => recordState(database, lease, bot, state)).catch(logProblem);
      },
      onUnreadable: (err) => {
        services.logger.warn({ err, ...this.spanAttributes() }, 'an event of a chat platform cannot be read: left out');
      },
      onMoved: (chat, to) => this.moves.record(chat, to),
      memory: connectionMemory(database, lease),
    });
    const { connection, moves } = this;
    const onFailure = (failure: Failure) => this.onFailure(failure);
    this.outlet = { database, content, lease, adapter, connection, moves, tracer, onFailure };
    this.deliveries = { text: new DeliveryLane(this.outlet, 'text'), file: new DeliveryLane(this.outlet, 'file') };
    this.typing = new Typing((place) => this.connection.showTyping(this.moves.current(place)));
    this.timer = setInterval(() => this.tick(), adapter.editEveryMs);
    this.inbox.runSoon();
  }

  private async onMessage(message: InboundMessage): Promise<void> {
    const { adapter, botId } = this.bot;
    const { database, tracer } = this.services;
    const options = { kind: 'consumer', beginsTrace: true, attributes: this.spanAttributes() } as const;
    await tracer.span(`receive ${adapter.platform}`, options, (span) =>
      storeInbound(database, adapter.platform, botId, message, span?.traceparent),
    );
    this.inbox.runSoon();
  }

  private spanAttributes(): SpanAttributes {
    return { 'messaging.system': this.bot.adapter.platform, 'roost.bot.id': this.bot.botId };
  }

  private work(row: InboundRow): Promise<void> {
    const options = { parent: row.traceparent ?? undefined, attributes: this.spanAttributes() };
    return this.services.tracer.span(`handle ${this.bot.adapter.platform}`, options, () => this.handle(row));
  }

  private async handle(row: InboundRow): Promise<void> {
    const { message: stored, attempts, created_at: receivedAt } = row;
    const { adapter, botId } = this.bot;
    const { connection } = this;
    await this.moves.loaded();
    const message = { ...stored, place: this.moves.original(stored.place) };
    const from = { adapter, connection, receivedAt, attempts };
    const received = await this.services.receiver.receive(botId, message, from, row);
    if (received.queued) {
      if (this.waiting.size >= MAX_WAITING) this.waiting.clear();
      const { messageId, accountId, agentId } = received.queued;
      this.waiting.set(messageId, { accountId, agentId, place: message.place });
      this.typing.begin(message.place);
    }
    // An answer of the bot itself is not worth a row: who misses it sends the command again.
    if (received.answer) await this.answer(message, received.answer).catch((error: unknown) => this.logProblem(error));
  }

  private async answer(message: InboundMessage, markdown: string): Promise<void> {
    for (const [index, part] of this.bot.adapter.format(markdown).entries()) {
      if (message.answerTo !== undefined && this.connection.answer) {
        await this.connection.answer(message.answerTo, part);
      } else {
        const key = { key: `answer-${message.eventId}-${index}`, isRepeat: false };
        const first = { place: message.place, isPlain: false, shownId: null };
        await showRepaired(this.outlet, first, ({ place, isPlain }) =>
          this.connection.send(place, part, { ...key, isPlain }),
        );
      }
    }
  }

  /** What the platform posted to the gateway. */
  async receive(request: WebhookRequest): Promise<WebhookAnswer | undefined> {
    return this.isClosed ? undefined : this.connection.receive?.(request);
  }

  /** A hint of what an agent is doing, if it is answering somebody here. */
  onLive(event: LiveEvent): void {
    const place = this.waiting.get(event.messageId);
    if (!place) return;
    let preview = this.previews.get(event.messageId);
    if (preview?.turn.turnId !== event.turnId) {
      const { adapter } = this.bot;
      const { database } = this.services;
      const shown = { ...place, shownAt: this.moves.current(place.place) };
      const platform = {
        isIdempotent: adapter.isIdempotent,
        format: (text: string) => adapter.format(attachedFiles(text).markdown),
      };
      preview = new LivePreview(database, this.lease, this.connection, shown, event, platform, preview);
      this.previews.set(event.messageId, preview);
    }
    preview.add(event);
  }

  private tick(): void {
    for (const [messageId, preview] of this.previews) {
      this.next('text', async () => {
        await this.keepPreviews();
        if (await preview.flush()) return;
        this.previews.delete(messageId);
        this.waiting.delete(messageId);
      });
    }
    this.typing.tick();
    this.inbox.runSoon();
    this.deliver();
  }

  /** One that is not recorded is not seen by those in the same place, nor by the reply that is edited into it. */
  private async keepPreviews(): Promise<void> {
    for (const preview of this.previews.values()) await preview.keep();
  }

  /** Shows what is due. */
  deliver(): void {
    this.run('text', 'file');
    this.run('file', 'text');
  }

  /** When a lane is through, parts of the other may have become the first of their place. */
  private run(lane: Lane, other: Lane): void {
    this.next(lane, async () => {
      if (lane === 'text') await this.keepPreviews();
      let hasShown = false;
      while (!this.isClosed) {
        const place = await this.deliveries[lane].deliverNext();
        if (place === undefined) break;
        this.typing.end(place);
        hasShown = true;
      }
      if (hasShown) this.run(other, lane);
    });
  }

  private next(lane: Lane, work: () => Promise<void>): void {
    this.lanes[lane] = this.lanes[lane].then(async () => {
      if (!this.isClosed) await work().catch((error: unknown) => this.logProblem(error));
    });
  }

  private onFailure({ accountId, agentId, platform, replyIds, reason }: Failure): void {
    const about = { accountId, agentId, platform, messageIds: replyIds, reason };
    this.services.logger.warn(about, 'a reply could not be shown in a chat');
  }

  private logProblem(error: unknown): void {
    const { logger } = this.services;
    if (error instanceof DeliveryError) logger.debug({ reason: error.message }, 'a chat message was not shown');
    else logger.warn({ err: error, botId: this.bot.botId }, 'a chat connection has a problem');
  }

  /** Finishes the sends in work. */
  async close(): Promise<void> {
    this.isClosed = true;
    clearInterval(this.timer);
    await Promise.all([this.lanes.text, this.lanes.file]);
    await this.connection.close();
    await this.inbox.close();
    await this.states;
  }
}
