import { createLogger } from '#lib/observability';
import { register } from 'prom-client';
import { expect, it, vi } from 'vitest';
import { inBatches, Sweep, SWEEP_BATCH, SweepRunner, sweepsOf } from './index.js';

const EVERY_SECOND = { cron: '* * * * * *', jitterMs: 0 };
const logger = createLogger('test', { ROOST_LOG_LEVEL: 'silent' });

it('finds what a provider declares, and runs it on that provider', async () => {
  class Rows {
    removed = 0;
    @Sweep('test.rows', EVERY_SECOND)
    remove(): Promise<void> {
      this.removed++;
      return Promise.resolve();
    }
  }
  const rows = new Rows();
  const [sweep] = sweepsOf(rows);
  expect(sweep).toMatchObject({ name: 'test.rows', cron: '* * * * * *' });
  await sweep?.run(new AbortController().signal);
  expect(rows.removed).toBe(1);
  expect(sweepsOf({})).toEqual([]);
});

it('runs at the start where that is wanted', async () => {
  const runner = new SweepRunner(logger);
  let runs = 0;
  runner.add({ cron: '0 0 1 1 *', jitterMs: 0, atStart: true, name: 'test.start', run: async () => void runs++ });
  await runner.stop();
  expect(runs).toBe(1);
});

it('makes one run at a time, and goes on after one that failed, which the metrics count', async () => {
  const runner = new SweepRunner(logger);
  let [now, most, runs] = [0, 0, 0];
  runner.add({
    ...EVERY_SECOND,
    name: 'test.long',
    run: async () => {
      most = Math.max(most, ++now);
      runs++;
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      now--;
    },
  });
  const fail = vi.fn(() => Promise.reject(new Error('no')));
  runner.add({ ...EVERY_SECOND, name: 'test.failing', run: fail });
  await vi.waitUntil(() => runs >= 2 && fail.mock.calls.length >= 2, { timeout: 60_000 });
  await runner.stop();
  expect(most).toBe(1);
  expect(await register.getSingleMetricAsString('roost_sweep_failures_total')).toContain('sweep="test.failing"');
});

it('asks a run to end when it is stopped, waits for it, and begins none after', async () => {
  const runner = new SweepRunner(logger);
  let hasEnded = false;
  const begun = new Promise<void>((begin) =>
    runner.add({
      ...EVERY_SECOND,
      name: 'test.stopped',
      run: (signal) =>
        new Promise((end) => {
          begin();
          signal.addEventListener('abort', () => setTimeout(() => end((hasEnded = true) as never), 50));
        }),
    }),
  );
  await begun;
  await runner.stop();
  expect(hasEnded).toBe(true);
});

it('removes in batches until nothing is left, or the service stops', async () => {
  let left = 2 * SWEEP_BATCH + 1;
  const removeSome = () => {
    const removed = Math.min(left, SWEEP_BATCH);
    left -= removed;
    return Promise.resolve(removed);
  };
  await inBatches(removeSome);
  expect(left).toBe(0);
  left = 2 * SWEEP_BATCH;
  await inBatches(removeSome, AbortSignal.abort());
  expect(left).toBe(2 * SWEEP_BATCH);
});
