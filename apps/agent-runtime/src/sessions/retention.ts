import type { Database } from '#lib/database';
import { HOURLY, Sweep } from '#lib/sweeps';
import { deleteOld } from './retention.repository.js';

/** Of batches that failed permanently no attempt follows; one that waits for a budget does so for a month. */
const UNFINISHED_TURN_DAYS = 40;

export interface RetentionDays {
  transcript: number;
  usage: number;
  runs: number;
}

/**
 * Bounds what is kept of sessions. Never removed: what a persistent session that is still open has in its context.
 * Replicas may sweep at the same time.
 */
export class Retention {
  constructor(
    private readonly database: Database,
    private readonly days: RetentionDays,
  ) {}

  @Sweep('runtime.retention', HOURLY)
  async sweep(signal?: AbortSignal): Promise<void> {
    await deleteOld(this.database, 'transcript', this.days.transcript, signal);
    await deleteOld(this.database, 'sessions', this.days.transcript, signal);
    await deleteOld(this.database, 'turnUsage', this.days.usage, signal);
    await deleteOld(this.database, 'attempts', this.days.runs, signal);
    await deleteOld(this.database, 'unfinishedTurns', UNFINISHED_TURN_DAYS, signal);
  }
}
