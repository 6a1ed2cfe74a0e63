import { type LiveEvent } from '#lib/contracts';
import type { Database } from '#lib/database';
import type { Logger } from '#lib/observability';
import { type Connection, DeliveryError, type InboundMessage } from '../adapters/channel-adapter.js';
import type { ReceiveMessage } from '../inbound/receive-message.js';
import { deliverNext, settleInterrupted } from '../outbound/deliver.js';
import { LivePreview, type PreviewPlace } from '../outbound/live-preview.js';
import type { Bot } from './bots.js';
import { type Lease, recordState } from './connection-lease.js';

/** Deltas are shown this often: Telegram allows about one edit a second per chat. */
const TICK_MS = 1_000;
const MOST_WAITING = 10_000;

/** What this replica does for one bot while it holds the lease: receives, delivers, previews. */
export class BotSession {
  private readonly connection: Connection;
  /** Sends and edits happen one after the other, so that a preview never overwrites the finished reply. */
  private chain: Promise<void>;
  private isClosed = false;
  private readonly timer: NodeJS.Timeout;
  /** By the message they will answer: where a turn's live text is to be shown. */
  private readonly waiting = new Map<string, PreviewPlace>();
  private readonly previews = new Map<string, LivePreview>();

  constructor(
    private readonly database: Database,
    private readonly receiver: ReceiveMessage,
    private readonly logger: Logger,
    readonly bot: Bot,
    readonly lease: Lease,
  ) {
    this.chain = settleInterrupted(database, lease).catch((error: unknown) => this.complain(error));
    this.connection = bot.adapter.connect(bot.credentials, {
      onMessage: (message) => this.onMessage(message),
      onState: (state) => {
        void recordState(database, lease, state).catch((error: unknown) => this.complain(error));
      },
    });
    this.timer = setInterval(() => this.tick(), TICK_MS);
  }

  private async onMessage(message: InboundMessage): Promise<void> {
    const { adapter, botId } = this.bot;
    const received = await this.receiver.receive(adapter.platform, botId, message);
    if (received.answer) {
      const [body] = adapter.format(received.answer);
      // An answer of the bot itself is not worth a row: who misses it sends the command again.
      if (body)
        await this.connection
          .send(message.place, body, { key: message.eventId, isRepeat: false })
          .catch((error: unknown) => this.complain(error));
    }
    if (received.queued) {
      if (this.waiting.size >= MOST_WAITING) this.waiting.clear();
      const { messageId, accountId, agentId } = received.queued;
      this.waiting.set(messageId, { accountId, agentId, place: message.place });
      await this.connection.showTyping(message.place);
    }
  }

  /** A hint of what an agent is doing, if it is answering somebody here. */
  onLive(event: LiveEvent): void {
    const place = this.waiting.get(event.messageId);
    if (!place) return;
    let preview = this.previews.get(event.messageId);
    if (preview?.turnId !== event.turnId) {
      const { adapter } = this.bot;
      preview = new LivePreview(this.database, this.lease, this.connection, place, event.turnId, (text) =>
        adapter.format(text),
      );
      this.previews.set(event.messageId, preview);
    }
    preview.add(event);
  }

  private tick(): void {
    for (const [messageId, preview] of this.previews) {
      this.next(async () => {
        if (await preview.flush()) return;
        this.previews.delete(messageId);
        this.waiting.delete(messageId);
      });
    }
    this.deliver();
  }

  /** Shows what is due. */
  deliver(): void {
    this.next(async () => {
      while (!this.isClosed && (await deliverNext(this.database, this.lease, this.bot.adapter, this.connection)));
    });
  }

  private next(work: () => Promise<void>): void {
    this.chain = this.chain.then(async () => {
      if (!this.isClosed) await work().catch((error: unknown) => this.complain(error));
    });
  }

  private complain(error: unknown): void {
    if (error instanceof DeliveryError) this.logger.debug({ reason: error.message }, 'a chat message was not shown');
    else this.logger.warn({ err: error, botId: this.bot.botId }, 'a chat connection has a problem');
  }

  /** Finishes the send in work. */
  async close(): Promise<void> {
    this.isClosed = true;
    clearInterval(this.timer);
    await this.chain;
    await this.connection.close();
  }
}
