import type { Database } from '#lib/database';
import { deleteOldInbound } from '../inbound/inbound-events.repository.js';
import { deleteOldCodes } from '../links/link-codes.repository.js';
import { deleteOldDeliveries } from './deliveries.repository.js';

const BATCH = 5_000;

/** Bounds the tables: deliveries for 30 days, event ids for 7, what linking leaves behind for a day. A bounded batch per call. */
export async function sweepOldRows(database: Database): Promise<void> {
  await deleteOldDeliveries(database, BATCH);
  await deleteOldInbound(database, BATCH);
  await deleteOldCodes(database);
}
