/**
 * Periodic jobs over rows: retention, expiry, rotation. node-cron says when; here are their names, jitter, metrics and
 * stop. Promised: of one sweep one run at a time in a process, and none after `stop`. Not promised: that only one
 * replica runs it, so a sweep's statements bear others beside them. Leases and heartbeats are timers, not sweeps.
 */
export { inBatches, SWEEP_BATCH } from './in-batches.js';
export {
  EVERY_MINUTE,
  EVERY_TEN_MINUTES,
  HOURLY,
  Sweep,
  type SweepDefinition,
  type SweepTimes,
  sweepsOf,
} from './sweep.js';
export { SweepRunner } from './sweep-runner.js';
