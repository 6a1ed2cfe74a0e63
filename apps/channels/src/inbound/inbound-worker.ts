import type { ChatPlatform } from '#lib/contracts';
import type { Database } from '#lib/database';
import type { InboundMessage } from '../adapters/channel-adapter.js';
import { albumParts, dueInbound, type InboundRow, retryInbound, finishInbound } from './inbound-events.repository.js';
import { FailureCount, MAX_FAILURES } from '../adapters/failure-count.js';
import { mayPass } from '../adapters/may-pass.js';

const MAX_PLACES = 8;

/** Handles a bot's inbox: in order within a place, several places side by side, so that a large file delays one chat. */
export class InboundWorker {
  private readonly busy = new Map<string, Promise<void>>();
  private readonly failures = new FailureCount();
  private handling: Promise<void> | undefined;
  private mustLookAgain = false;
  private isClosed = false;

  constructor(
    private readonly database: Database,
    private readonly bot: { platform: ChatPlatform; botId: string },
    private readonly handle: (row: InboundRow) => Promise<void>,
    private readonly onError: (error: unknown) => void,
    /** It fails every time, and is not tried again. */
    private readonly onGivenUp: (row: InboundRow) => Promise<void>,
  ) {}

  /** Something may be due. */
  runSoon(): void {
    if (this.isClosed) return;
    this.mustLookAgain = true;
    this.handling ??= this.handleDue()
      .catch(this.onError)
      .finally(() => (this.handling = undefined));
  }

  private async handleDue(): Promise<void> {
    while (this.mustLookAgain && !this.isClosed) {
      this.mustLookAgain = false;
      const free = MAX_PLACES - this.busy.size;
      if (free <= 0) return;
      const { platform, botId } = this.bot;
      const rows = await dueInbound(this.database, platform, botId, [...this.busy.keys()], free);
      for (const row of rows) {
        const work = this.work(row).finally(() => {
          this.busy.delete(row.place);
          this.runSoon();
        });
        this.busy.set(row.place, work);
      }
    }
  }

  private async work(row: InboundRow): Promise<void> {
    if (this.isClosed) return;
    try {
      const { message, ids } = await this.joinAlbum(row);
      await this.handle({ ...row, message });
      await finishInbound(this.database, ids);
      this.failures.forget(row.id);
    } catch (error) {
      this.onError(error);
      const isLast = !mayPass(error) && this.failures.add(row.id) >= MAX_FAILURES;
      await (isLast ? this.giveUp(row) : retryInbound(this.database, row.id)).catch(this.onError);
    }
  }

  private async giveUp(row: InboundRow): Promise<void> {
    await finishInbound(this.database, [row.id]);
    this.failures.forget(row.id);
    await this.onGivenUp(row);
  }

  /** The first part of an album with all that came within the window: one message, under the first part's id. */
  private async joinAlbum(row: InboundRow): Promise<{ message: InboundMessage; ids: string[] }> {
    if (row.message.album === undefined) return { message: row.message, ids: [row.id] };
    const rows = await albumParts(this.database, this.bot.platform, this.bot.botId, row);
    const parts = rows.map(({ message }) => message);
    const context = [...new Set(parts.flatMap((part) => part.context ?? []))];
    return {
      message: {
        ...row.message,
        isAddressed: parts.some((part) => part.isAddressed),
        text: parts
          .map(({ text }) => text)
          .filter(Boolean)
          .join('\n'),
        ...(context.length > 0 ? { context } : {}),
        files: parts.flatMap(({ files }) => files),
      },
      ids: rows.map(({ id }) => id),
    };
  }

  /** Finishes what is in work. */
  async close(): Promise<void> {
    this.isClosed = true;
    await this.handling;
    await Promise.all(this.busy.values());
  }
}
