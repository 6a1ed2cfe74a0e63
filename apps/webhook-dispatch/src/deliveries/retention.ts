import { LOGGER } from '#lib/bus';
import { Database } from '#lib/database';
import type { Logger } from '#lib/observability';
import { type BeforeApplicationShutdown, Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { deleteOldDeliveries, deleteOldEvents } from './deliveries.repository.js';
import { cancelAbandoned, deleteOldAgents } from './queue.repository.js';

const EVERY_MS = 3_600_000;
const BATCH = 5_000;

/** Deletes deliveries, their attempts and their events after 30 days. Replicas may sweep at the same time. */
@Injectable()
export class Retention implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private isStopped = false;

  constructor(
    private readonly database: Database,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => {
      this.running ??= this.sweep()
        .catch((error: unknown) => this.logger.error({ err: error }, 'old webhook deliveries could not be removed'))
        .finally(() => (this.running = undefined));
    }, EVERY_MS);
  }

  /** Removes all that is too old, some thousand rows a transaction. */
  async sweep(): Promise<void> {
    while (!this.isStopped && (await this.database.transaction((tx) => cancelAbandoned(tx, BATCH))) > 0);
    await deleteOldAgents(this.database);
    while (!this.isStopped && (await deleteOldDeliveries(this.database, BATCH)) > 0);
    while (!this.isStopped && (await deleteOldEvents(this.database, BATCH)) > 0);
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.isStopped = true;
    clearInterval(this.timer);
    await this.running;
  }
}
