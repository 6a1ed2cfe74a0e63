import { LOGGER } from '#lib/bus';
import { Database } from '#lib/database';
import type { Logger } from '#lib/observability';
import { type BeforeApplicationShutdown, Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { cancelAbandoned } from './cancel-deliveries.js';

const EVERY_MS = 3_600_000;
const KEPT_DAYS = 30;
const BATCH = 5_000;

/** Forgets deliveries, their attempts and their events after 30 days. Replicas may sweep at the same time. */
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
    // Their history is gone by then.
    await this.database.query(`DELETE FROM deleted_agents WHERE deleted_at < now() - interval '${KEPT_DAYS + 1} days'`);
    const old = `created_at < now() - interval '${KEPT_DAYS} days'`;
    while (!this.isStopped) {
      const removed = await this.database.query(
        `WITH old AS (
           DELETE FROM deliveries WHERE id IN (SELECT id FROM deliveries WHERE ${old} ORDER BY created_at LIMIT ${BATCH} FOR UPDATE SKIP LOCKED)
           RETURNING id
         ), history AS (DELETE FROM attempts USING old WHERE delivery_id = old.id)
         SELECT id FROM old`,
      );
      if (removed.length === 0) break;
    }
    while (!this.isStopped) {
      const removed = await this.database.query(
        `DELETE FROM events WHERE id IN (
           SELECT id FROM events v WHERE ${old} AND NOT EXISTS (SELECT 1 FROM deliveries WHERE event_id = v.id) LIMIT ${BATCH}
         ) RETURNING id`,
      );
      if (removed.length === 0) break;
    }
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.isStopped = true;
    clearInterval(this.timer);
    await this.running;
  }
}
