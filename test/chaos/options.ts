import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import type { ChaosOptions } from './run-chaos.js';

export const help = `Roost under faults: kill -9, wiped NATS stores and frozen workers under 50 messages/s, and a model that misbehaves.

  npm run chaos:quick         two minutes
  npm run chaos -- [options]
    --minutes N               for how long (default 20)
    --seed N                  the faults of an earlier run, at the same times
    --misbehaving N           percent of the model's answers that go wrong (default 10)
    --positive-control        with the fence off: ends with 1, as it must, or with 2 when nobody noticed

Ends with 1 when a message was lost, doubled, stuck or out of order.`;

/** The options of the command line; the rest has the numbers of the quick or the long run. Errors: what is wrong. */
export function readOptions(args: string[]): ChaosOptions & { isPositiveControl: boolean } {
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: 'boolean', default: false },
      seed: { type: 'string' },
      minutes: { type: 'string', default: '20' },
      misbehaving: { type: 'string', default: '10' },
      'positive-control': { type: 'boolean', default: false },
    },
  });
  const seed = values.seed === undefined ? randomInt(2 ** 32) : Number(values.seed);
  const minutes = Number(values.minutes);
  if (!Number.isInteger(seed) || !(minutes >= 1 && minutes <= 24 * 60)) {
    throw new Error('--seed is a whole number, --minutes a number from 1 to 1440');
  }
  const misbehaviourRate = Number(values.misbehaving) / 100;
  if (!(misbehaviourRate >= 0 && misbehaviourRate <= 0.5)) throw new Error('--misbehaving is a number from 0 to 50');
  const isPositiveControl = values['positive-control'];
  const durationMs = values.quick ? QUICK_MS : minutes * 60_000;
  return {
    seed,
    isPositiveControl,
    isFenced: !isPositiveControl,
    durationMs,
    // A kill every two seconds, quick or long; the rest in the same measure.
    kills: Math.round(durationMs / 2_000),
    freezes: Math.round(durationMs / (isPositiveControl ? 8_000 : 20_000)),
    wipes: Math.round(durationMs / 60_000),
    messagesPerSecond: 50,
    agents: 20,
    misbehaviourRate,
    log: (line) => console.log(line),
  };
}

const QUICK_MS = 120_000;
