import { Bus } from '#lib/bus';
import { Database } from '#lib/database';
import { createLogger } from '#lib/observability';
import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { claimUnsent } from '../executions/executions.repository.js';
import { readClock, tickClock } from './firing-clock.repository.js';
import { fireDue } from './firing.service.js';
import { sendAll } from './sending.service.js';

const POLL_MS = 100;
const TICK_MS = 1_000;
const FAILED_PAUSE_MS = 1_000;
const FIRE_BATCH = 500;
const SEND_BATCH = 100;
const SENDERS = 3;

/** Fires due schedules and sends the messages of schedules and triggers. Any number of replicas may run. */
@Injectable()
export class FiringWorker implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = createLogger('scheduler');
  private isStopping = false;
  private tickedAt: number | undefined;
  private readonly sleepers = new Set<() => void>();
  private loops: Promise<void>[] = [];

  constructor(
    private readonly database: Database,
    private readonly bus: Bus,
  ) {}

  onApplicationBootstrap(): void {
    this.loops = [
      this.repeat(async () => {
        const { hasMore } = await this.fire();
        return hasMore;
      }),
      ...Array.from({ length: SENDERS }, () =>
        this.repeat(async () => {
          const batch = await claimUnsent(this.database, SEND_BATCH);
          if (batch.length > 0) await sendAll(this.database, this.bus, batch);
          return batch.length === SEND_BATCH;
        }),
      ),
    ];
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.isStopping = true;
    this.hurry();
    await Promise.all(this.loops);
  }

  /** There is something to do: nobody waits for the next poll. */
  hurry(): void {
    for (const wake of this.sleepers) wake();
  }

  private async fire() {
    // Before the first round: what passed while nothing ran was missed.
    if (this.tickedAt === undefined) await this.tick(null);
    const fired = await this.database.transaction(async (tx) => {
      const { now, onTimeSince } = await readClock(tx);
      return { now, ...(await fireDue(tx, now, FIRE_BATCH, onTimeSince)) };
    });
    if (performance.now() - (this.tickedAt ?? 0) >= TICK_MS) await this.tick(fired.hasMore ? null : fired.now);
    if (fired.toSend > 0) this.hurry();
    return fired;
  }

  private async tick(firedUpTo: Date | null): Promise<void> {
    await tickClock(this.database, firedUpTo);
    this.tickedAt = performance.now();
  }

  private async repeat(step: () => Promise<boolean>): Promise<void> {
    while (!this.isStopping) {
      let hasMore = false;
      let pause = POLL_MS;
      try {
        hasMore = await step();
      } catch (error) {
        this.logger.error({ err: error }, 'a round of the scheduler failed; it is tried again');
        pause = FAILED_PAUSE_MS;
      }
      if (!hasMore) await this.sleep(pause);
    }
  }

  private async sleep(ms: number): Promise<void> {
    if (this.isStopping) return;
    await new Promise<void>((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.sleepers.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      this.sleepers.add(wake);
    });
  }
}
