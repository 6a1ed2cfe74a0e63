import type { Database } from '#lib/database';
import type { Logger } from '#lib/observability';
import { setTimeout as sleep } from 'node:timers/promises';
import { recordOutcomes } from './record-outcomes.js';
import type { Outcome } from './send-delivery.js';

const BATCH = 500;
const TRIES = 5;
const GATHER_MS = 5;

/** Records outcomes in groups: whatever arrives while one commit is under way shares the next. */
export class OutcomeRecorder {
  private waiting: Outcome[] = [];
  private running: Promise<void> | undefined;

  constructor(
    private readonly database: Database,
    private readonly logger: Logger,
  ) {}

  add(outcome: Outcome): void {
    this.waiting.push(outcome);
    this.running ??= this.run().finally(() => (this.running = undefined));
  }

  /** Resolves when everything added so far is recorded or given up. */
  async drain(): Promise<void> {
    await this.running;
  }

  private async run(): Promise<void> {
    while (this.waiting.length > 0) {
      // Nobody waits for an outcome: a few more of them share the commit.
      if (this.waiting.length < BATCH) await sleep(GATHER_MS);
      await this.record(this.waiting.splice(0, BATCH));
    }
  }

  /** Given up after a while: the leases end and the deliveries are sent again with the same ids. */
  private async record(outcomes: Outcome[]): Promise<void> {
    for (let attempt = 1; attempt <= TRIES; attempt += 1) {
      try {
        await this.database.transaction((tx) => recordOutcomes(tx, outcomes));
        return;
      } catch (error) {
        this.logger.error({ err: error, attempt, outcomes: outcomes.length }, 'webhook outcomes could not be recorded');
        await sleep(200 * attempt);
      }
    }
  }
}
