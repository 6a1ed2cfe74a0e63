import { Database } from '#lib/database';
import { EVERY_MINUTE, Sweep } from '#lib/sweeps';
import { Injectable } from '@nestjs/common';
import { deleteOldInbound } from '../inbound/inbound-events.repository.js';
import { deleteOldCodes } from '../links/link-codes.repository.js';
import { deleteOldDeliveries } from './deliveries.repository.js';

const BATCH = 5_000;

/** Bounds the tables: deliveries for 30 days, event ids for 7, what linking leaves behind for a day. A bounded batch per run. */
@Injectable()
export class Retention {
  constructor(private readonly database: Database) {}

  @Sweep('channels.retention', EVERY_MINUTE)
  async sweep(): Promise<void> {
    await deleteOldDeliveries(this.database, BATCH);
    await deleteOldInbound(this.database, BATCH);
    await deleteOldCodes(this.database);
  }
}
