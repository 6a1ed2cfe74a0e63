import { Database } from '#lib/database';
import { EVERY_MINUTE, inBatches, Sweep, SWEEP_BATCH } from '#lib/sweeps';
import { Injectable } from '@nestjs/common';
import { deleteOldInbound } from '../inbound/inbound-events.repository.js';
import { deleteOldCodes } from '../links/link-codes.repository.js';
import { deleteOldDeliveries } from './deliveries.repository.js';
import { deleteLostPreviews } from './previews.repository.js';

/** Bounds the tables: deliveries for 30 days, event ids for 7, previews and what linking leaves behind for a day. */
@Injectable()
export class Retention {
  constructor(private readonly database: Database) {}

  @Sweep('channels.retention', EVERY_MINUTE)
  async sweep(signal?: AbortSignal): Promise<void> {
    await inBatches(() => deleteOldDeliveries(this.database, SWEEP_BATCH), signal);
    await inBatches(() => deleteLostPreviews(this.database, SWEEP_BATCH), signal);
    await inBatches(() => deleteOldInbound(this.database, SWEEP_BATCH), signal);
    await deleteOldCodes(this.database);
  }
}
