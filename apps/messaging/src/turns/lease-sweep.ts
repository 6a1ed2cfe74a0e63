import { Bus, LOGGER } from '#lib/bus';
import { recordedSubject, WAKE_RUNTIME } from '#lib/contracts';
import { apart, Database } from '#lib/database';
import type { Logger } from '#lib/observability';
import { type BeforeApplicationShutdown, Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { agentsWithDue, expireDue } from '../approvals/suspensions.repository.js';
import { FinishedMessages } from '../messages/finished-messages.js';
import { queueDueRetries } from './claims.repository.js';
import { countEnd } from './queue-metrics.js';
import { expireTurn } from './turns.service.js';

const SWEEP_MS = 500;
/** Approvals that one round ends, of an agent and of all. */
const MAX_DUE = 200;

/** Gives the turns of lost workers to others, lets due retries be claimed, ends approvals that nobody decides. */
@Injectable()
export class LeaseSweep implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;

  constructor(
    private readonly database: Database,
    private readonly bus: Bus,
    private readonly finished: FinishedMessages,
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
    if (await this.database.transaction(queueDueRetries)) this.bus.signal(WAKE_RUNTIME);
    await this.expireApprovals();
    const tried = new Set<string>();
    for (let [isOver, before] = [false, -1]; !isOver && tried.size > before;) {
      before = tried.size;
      await this.apart(
        async () => {
          const expired = await this.database.transaction((tx) => expireTurn(tx, tried));
          isOver = expired === undefined;
          if (!expired) return;
          countEnd('expired');
          this.finished.announce(expired.finishedIds);
          if (expired.hasMoreWork) this.bus.signal(WAKE_RUNTIME);
        },
        () => ({ turnId: [...tried].at(-1) }),
      );
    }
  }

  private apart(work: () => Promise<void>, about: () => object): Promise<void> {
    return apart(work, (error) =>
      this.logger.error({ ...about(), err: error }, 'a turn or an approval that is over cannot be ended'),
    );
  }

  private async expireApprovals(): Promise<void> {
    for (const agentId of await agentsWithDue(this.database, MAX_DUE))
      await this.apart(
        async () => {
          const goesOn = await this.database.transaction((tx) => expireDue(tx, agentId, MAX_DUE));
          this.bus.hint(recordedSubject(agentId));
          if (goesOn) this.bus.signal(WAKE_RUNTIME);
        },
        () => ({ agentId }),
      );
  }
}
