import { Counter, Histogram, type Logger } from '#lib/observability';
import { createTask, type ScheduledTask } from 'node-cron';
import type { SweepDefinition } from './sweep.js';

const seconds = new Histogram({
  name: 'roost_sweep_seconds',
  help: 'How long periodic jobs took',
  labelNames: ['sweep'],
  buckets: [0.01, 0.1, 1, 10, 60, 600],
});
const failures = new Counter({
  name: 'roost_sweep_failures_total',
  help: 'Runs of periodic jobs that failed',
  labelNames: ['sweep'],
});

/** An overlap or a missed run is no news: the next run does the work. */
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined, debug: () => undefined };

/** Runs a service's sweeps until it is stopped. */
export class SweepRunner {
  private readonly tasks: ScheduledTask[] = [];
  private readonly running = new Set<Promise<void>>();
  private readonly stopping = new AbortController();

  constructor(private readonly logger: Logger) {}

  /** Errors: when the expression is none. */
  add(sweep: SweepDefinition): void {
    const task = createTask(sweep.cron, () => this.run(sweep), {
      name: sweep.name,
      noOverlap: true,
      maxRandomDelay: sweep.jitterMs,
      timezone: 'UTC',
      logger: silent,
      unref: true,
    });
    this.tasks.push(task);
    void task.start();
    if (sweep.atStart) void this.run(sweep);
  }

  /** No run begins any more, and the running ones have ended when this resolves. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await Promise.all(this.tasks.map(async (task) => task.destroy()));
    await Promise.all(this.running);
  }

  private run(sweep: SweepDefinition): Promise<void> {
    const { signal } = this.stopping;
    // Its random delay may end after the stop.
    if (signal.aborted) return Promise.resolve();
    const stopTimer = seconds.startTimer({ sweep: sweep.name });
    const work = sweep
      .run(signal)
      .catch((error: unknown) => {
        failures.inc({ sweep: sweep.name });
        this.logger.warn({ err: error, sweep: sweep.name }, 'a periodic job failed; the next run follows');
      })
      .finally(() => {
        stopTimer();
        this.running.delete(work);
      });
    this.running.add(work);
    return work;
  }
}
