import { Bus, CONFIG, LOGGER } from '#lib/bus';
import { WAKE_RUNTIME } from '#lib/contracts';
import { Database } from '#lib/database';
import type { Logger } from '#lib/observability';
import { type BeforeApplicationShutdown, Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { sweepBlocks } from '../budgets/budgets.repository.js';
import type { MessagingConfig } from '../config.js';
import { sweepDeletedAgents } from '../agents/agents.repository.js';
import { FinishedMessages } from '../messages/finished-messages.js';
import { queueDueRetries } from './claims.repository.js';
import { countEnd } from './queue-metrics.js';
import { sweepEndedTurns } from './turns.repository.js';
import { expireTurn } from './turns.service.js';

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
    private readonly finished: FinishedMessages,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(CONFIG) private readonly config: MessagingConfig,
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
    if (this.rounds++ % 120 === 0) {
      await sweepEndedTurns(this.database, this.config.ROOST_RUN_DAYS, BATCH);
      await sweepDeletedAgents(this.database, BATCH);
      await sweepBlocks(this.database, BATCH);
    }
    if (await this.database.transaction(queueDueRetries)) this.bus.signal(WAKE_RUNTIME);
    for (;;) {
      const expired = await this.database.transaction(expireTurn);
      if (!expired) return;
      countEnd('expired');
      this.finished.announce(expired.finishedIds);
      if (expired.hasMoreWork) this.bus.signal(WAKE_RUNTIME);
    }
  }
}
