import type { LiveEvent } from '#lib/contracts';
import type { Database } from '#lib/database';
import { type Connection, DeliveryError } from '../adapters/channel-adapter.js';
import type { Lease } from '../connections/connection-lease.js';

export interface PreviewPlace {
  accountId: string;
  agentId: string;
  place: string;
  /** Where the place is now. */
  shownAt?: string;
}

/**
 * A reply as it is being written: one message, edited as text comes. Its row is the turn's first delivery, so the
 * finished reply is edited into the same message, also after a crash. Gaps in the text do not matter: the last edit
 * is the whole reply.
 */
export class LivePreview {
  private text = '';
  private shown = '';
  private rowId: string | undefined;
  private messageId: string | undefined;
  private isOver = false;

  constructor(
    private readonly database: Database,
    private readonly lease: Lease,
    private readonly connection: Connection,
    private readonly to: PreviewPlace,
    readonly turnId: string,
    private readonly format: (markdown: string) => string[],
  ) {}

  add(event: LiveEvent): void {
    if (event.type === 'turn.restarted') this.text = '';
    if (event.type === 'text.delta') this.text += event.text ?? '';
  }

  /** Shows what has come since; false when the turn is over and this preview can be forgotten. Not to be run twice at once. */
  async flush(): Promise<boolean> {
    try {
      return await this.show();
    } catch (error) {
      // Refused for good: the whole reply is shown another way, or told to be lost. Asking every second helps nobody.
      if (error instanceof DeliveryError && error.outcome === 'failed') this.isOver = true;
      throw error;
    }
  }

  private async show(): Promise<boolean> {
    const body = this.format(this.text)[0];
    if (this.isOver || body === undefined || body === this.shown) return !this.isOver;
    const isOpen = this.rowId === undefined ? await this.begin(body) : await this.isStillOpen();
    if (!isOpen) {
      this.isOver = true;
      return false;
    }
    if (this.messageId === undefined) {
      this.messageId = await this.connection.send(this.to.shownAt ?? this.to.place, body, {
        key: `delivery-${this.rowId}`,
        isRepeat: false,
      });
      await this.database.query(`UPDATE deliveries SET message_id = $2 WHERE id = $1`, [this.rowId, this.messageId]);
    } else {
      await this.connection.edit(this.to.shownAt ?? this.to.place, this.messageId, body);
    }
    this.shown = body;
    return true;
  }

  private async begin(body: string): Promise<boolean> {
    const { platform, botId, fence } = this.lease;
    const [row] = await this.database.query<{ id: string }>(
      `INSERT INTO deliveries (account_id, agent_id, platform, bot_id, place, turn_id, part, body, state, fence, attempts)
       SELECT $1, $2, $3, $4, $5, $6, 0, $7, 'preview', $8, 1
        WHERE EXISTS (SELECT 1 FROM bindings WHERE agent_id = $2 AND platform = $3 AND bot_id = $4)
       ON CONFLICT (turn_id, part) DO NOTHING RETURNING id`,
      [this.to.accountId, this.to.agentId, platform, botId, this.to.place, this.turnId, body, fence],
    );
    this.rowId = row?.id;
    return row !== undefined;
  }

  private async isStillOpen(): Promise<boolean> {
    const rows = await this.database.query(
      `SELECT 1 FROM deliveries d JOIN bindings b ON b.agent_id = d.agent_id AND b.bot_id = d.bot_id
        WHERE d.id = $1 AND d.state = 'preview' LIMIT 1`,
      [this.rowId],
    );
    return rows.length > 0;
  }
}
