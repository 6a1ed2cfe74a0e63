import { Bus, LOGGER } from '#lib/bus';
import { WAKE_RUNTIME } from '#lib/contracts';
import { Database } from '#lib/database';
import type { Logger } from '#lib/observability';
import { type BeforeApplicationShutdown, Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { SettledMessages } from '../messages/settled-messages.js';
import { queueDueRetries } from './due-retries.js';
import { expireTurn } from './expire-turn.js';

const SWEEP_MS = 500;
const BATCH = 5_000;

/** Gives the turns of lost workers to others, lets due retries be claimed, and bounds what is kept of ended ones. */
@Injectable()
export class LeaseSweep implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private rounds = 0;

  constructor(
    private readonly database: Database,
    private readonly bus: Bus,
    private readonly settled: SettledMessages,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => {
      this.running ??= this.sweep()
        .catch((error: unknown) => this.logger.warn({ err: error }, 'expired turns could not be looked for'))
        .finally(() => (this.running = undefined));
    }, SWEEP_MS);
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.running;
  }

  private async sweep(): Promise<void> {
    if (this.rounds++ % 120 === 0) await this.forgetOld();
    if (await this.database.transaction(queueDueRetries)) this.bus.signal(WAKE_RUNTIME);
    for (;;) {
      const expired = await this.database.transaction(expireTurn);
      if (!expired) return;
      this.settled.announce(expired.settledIds);
      if (expired.hasMoreWork) this.bus.signal(WAKE_RUNTIME);
    }
  }

  /** Ended turns are kept for a day, for repeated reports; tombstones of agents as long as events may come late. */
  private async forgetOld(): Promise<void> {
    await this.database.query(
      `DELETE FROM turns WHERE id IN (
         SELECT id FROM turns WHERE ended_at < now() - interval '1 day' LIMIT ${BATCH})`,
    );
    await this.database.query(
      `DELETE FROM agents WHERE agent_id IN (
         SELECT agent_id FROM agents WHERE status = 'deleted' AND updated_at < now() - interval '8 days' LIMIT ${BATCH})`,
    );
  }
}
