import type { LiveEvent } from '#lib/contracts';
import type { Database } from '#lib/database';
import { type Connection, DeliveryError } from '../adapters/channel-adapter.js';
import type { Lease } from '../connections/leases.repository.js';
import { beginPreview, isPreviewOpen, setPreviewMessage } from './previews.repository.js';

export interface PreviewPlace {
  accountId: string;
  agentId: string;
  place: string;
  /** Where the place is now. */
  shownAt?: string;
}

/**
 * A reply as it is being written: one message, edited as text comes. Its row is the turn's first delivery, so the
 * finished reply is edited into the same message, also after a crash, and by another turn when the worker was lost. Gaps in the text do not matter: the last edit
 * is the whole reply.
 */
export class LivePreview {
  private text = '';
  private shown = '';
  private rowId: string | undefined;
  private messageId: string | undefined;
  private isKept = false;
  private isOver = false;
  /** By the monotonic clock: until then the platform takes nothing. */
  private pausedUntil = 0;
  /** Another attempt began it. The preview of a turn that only seems left, as its end is not known here yet, is not taken. */
  private goesOn: boolean;

  constructor(
    private readonly database: Database,
    private readonly lease: Lease,
    private readonly connection: Connection,
    private readonly to: PreviewPlace,
    readonly turn: Pick<LiveEvent, 'turnId' | 'messageId'>,
    private readonly platform: { isIdempotent: boolean; format(markdown: string): string[] },
    /** Of an earlier attempt to answer the same messages, as far as this process knows. */
    private left?: LivePreview,
  ) {
    this.goesOn = left !== undefined;
  }

  add(event: LiveEvent): void {
    if (event.type === 'turn.restarted') {
      this.text = '';
      this.goesOn = true;
    }
    if (event.type === 'text.delta') this.text += event.text ?? '';
  }

  /** Shows what has come since; false when the turn is over and this preview can be forgotten. Not to be run twice at once. */
  async flush(): Promise<boolean> {
    try {
      return await this.show();
    } catch (error) {
      // Refused permanently: the whole reply is shown another way, or reported as failed. Asking every second helps nobody.
      // And what may be shown is not shown once more, where the platform would do so.
      const mayDouble = this.messageId === undefined && !this.platform.isIdempotent;
      if (
        error instanceof DeliveryError &&
        (error.outcome === 'failed' || (error.outcome === 'uncertain' && mayDouble))
      )
        this.isOver = true;
      if (error instanceof DeliveryError && error.outcome === 'retry')
        this.pausedUntil = performance.now() + error.retryAfterMs;
      throw error;
    }
  }

  private async show(): Promise<boolean> {
    const body = this.platform.format(this.text)[0];
    if (this.isOver || body === undefined) return !this.isOver;
    await this.keep();
    if (body === this.shown || performance.now() < this.pausedUntil) return true;
    if (this.rowId === undefined) await this.begin(body);
    else if (!(await isPreviewOpen(this.database, this.rowId, this.turn.turnId))) this.isOver = true;
    if (this.isOver || this.rowId === undefined) return !this.isOver;
    const place = this.to.shownAt ?? this.to.place;
    if (this.messageId === undefined) {
      this.messageId = await this.connection.send(place, body, { key: `delivery-${this.rowId}`, isRepeat: false });
    } else {
      await this.connection.edit(place, this.messageId, body);
    }
    this.shown = body;
    await this.keep();
    return true;
  }

  /**
   * Records which message it is, which is tried until it is done: one that only this process knows of is edited by no
   * other turn, and stays beside the reply.
   */
  async keep(): Promise<void> {
    await this.left?.keep();
    this.left = undefined;
    if (this.isKept || this.messageId === undefined) return;
    await setPreviewMessage(this.database, this.rowId, this.messageId);
    this.isKept = true;
  }

  private async begin(body: string): Promise<void> {
    const { turnId, messageId } = this.turn;
    const turn = { turnId, messageId, goesOn: this.goesOn };
    const preview = await beginPreview(this.database, this.lease, this.to, turn, body);
    if (preview === 'occupied') return;
    this.isOver = preview === undefined;
    this.rowId = preview?.id;
    this.messageId = preview?.messageId;
    this.isKept = this.messageId !== undefined;
  }
}
