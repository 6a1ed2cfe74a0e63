import { Database } from '#lib/database';
import { HOURLY, Sweep } from '#lib/sweeps';
import { Injectable } from '@nestjs/common';
import { deleteOldDeliveries, deleteOldEvents } from './deliveries.repository.js';
import { cancelAbandoned, deleteOldAgents } from './queue.repository.js';

const BATCH = 5_000;

/** Deletes deliveries, their attempts and their events after 30 days. Replicas may sweep at the same time. */
@Injectable()
export class Retention {
  constructor(private readonly database: Database) {}

  /** Removes all that is too old, some thousand rows a transaction. */
  @Sweep('webhooks.retention', HOURLY)
  async sweep(signal?: AbortSignal): Promise<void> {
    while (!signal?.aborted && (await this.database.transaction((tx) => cancelAbandoned(tx, BATCH))) > 0);
    await deleteOldAgents(this.database);
    while (!signal?.aborted && (await deleteOldDeliveries(this.database, BATCH)) > 0);
    while (!signal?.aborted && (await deleteOldEvents(this.database, BATCH)) > 0);
  }
}
