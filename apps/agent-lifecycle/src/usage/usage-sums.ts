import { CONFIG } from '#lib/bus';
import { Database } from '#lib/database';
import { HOURLY, Sweep } from '#lib/sweeps';
import { Inject, Injectable } from '@nestjs/common';
import type { LifecycleConfig } from '../config.js';
import { followRestoredServer, sumUp, sweepUsage } from './usage.repository.js';

/** Keeps sums of what model steps have used, so that a report need not read each of them. */
@Injectable()
export class UsageSums {
  constructor(
    private readonly database: Database,
    @Inject(CONFIG) private readonly config: LifecycleConfig,
  ) {}

  /** What came since is read step by step: the more often it is summed, the less that is. */
  @Sweep('lifecycle.usage-sums', { cron: '*/10 * * * * *', jitterMs: 3_000 })
  async sum(): Promise<void> {
    await followRestoredServer(this.database);
    await this.database.transaction(sumUp, { mayTakeLong: true });
  }

  @Sweep('lifecycle.usage-retention', HOURLY)
  retain(signal?: AbortSignal): Promise<void> {
    return sweepUsage(this.database, this.config.ROOST_USAGE_DAYS, signal);
  }
}
