import type { ChatPlatform } from '#lib/contracts';
import type { Database } from '#lib/database';
import { dueInbound, type InboundRow, joinAlbum, retryInbound, settleInbound } from './inbox.js';

const MOST_PLACES = 8;

/** Works off a bot's inbox: in order within a place, several places side by side, so that a large file delays one chat. */
export class InboundWorker {
  private readonly busy = new Map<string, Promise<void>>();
  private looking: Promise<void> | undefined;
  private mustLookAgain = false;
  private isClosed = false;

  constructor(
    private readonly database: Database,
    private readonly bot: { platform: ChatPlatform; botId: string },
    private readonly handle: (row: InboundRow) => Promise<void>,
    private readonly complain: (error: unknown) => void,
  ) {}

  /** Something may be due. */
  kick(): void {
    if (this.isClosed) return;
    this.mustLookAgain = true;
    this.looking ??= this.look()
      .catch(this.complain)
      .finally(() => (this.looking = undefined));
  }

  private async look(): Promise<void> {
    while (this.mustLookAgain && !this.isClosed) {
      this.mustLookAgain = false;
      const free = MOST_PLACES - this.busy.size;
      if (free <= 0) return;
      const { platform, botId } = this.bot;
      const rows = await dueInbound(this.database, platform, botId, [...this.busy.keys()], free);
      for (const row of rows) {
        const work = this.work(row).finally(() => {
          this.busy.delete(row.place);
          this.kick();
        });
        this.busy.set(row.place, work);
      }
    }
  }

  private async work(row: InboundRow): Promise<void> {
    if (this.isClosed) return;
    try {
      const { platform, botId } = this.bot;
      const { message, ids } = await joinAlbum(this.database, platform, botId, row);
      await this.handle({ ...row, message });
      await settleInbound(this.database, ids);
    } catch (error) {
      this.complain(error);
      await retryInbound(this.database, row.id).catch(this.complain);
    }
  }

  /** Finishes what is in work. */
  async close(): Promise<void> {
    this.isClosed = true;
    await this.looking;
    await Promise.all(this.busy.values());
  }
}
