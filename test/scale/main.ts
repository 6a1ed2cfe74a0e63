import { removeFolder } from '#lib/testing';
import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { commitOf } from '../ledger/roost/builds.js';
import { optionsOrEnd } from '../options-or-end.js';
import { documentOf, isGood, type Outcome } from './document.js';
import { fillDatabase, isFilled } from './fill/fill-database.js';
import { scaled } from './fill/sizes.js';
import { loadPhase } from './load/load-phase.js';
import { replicasPhase } from './load/replicas-phase.js';
import { measureLatencies } from './measure/latencies.js';
import { help, readOptions, type ScaleOptions, SMALL_AGENTS } from './options.js';
import { planPhase } from './plans/plan-phase.js';

/** `npm run scale`: exits with 1 when something grows with the number of agents that should not. */
const REPLICA_SECONDS = 60;
const CALLERS = 32;

const began = Date.now();
const log = (line: string) => console.log(`${clock(Date.now() - began)} ${line}`);

// What was started ends with us, by an exit and not by a signal.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
process.exit(await main(optionsOrEnd(help, readOptions)));

async function main(options: ScaleOptions): Promise<number> {
  const folder = options.folder === undefined ? mkdtempSync(join(tmpdir(), 'roost-scale-')) : resolve(options.folder);
  // PostgreSQL runs as another user where we are root.
  if (options.folder === undefined) chmodSync(folder, 0o711);
  const [large, small] = [join(folder, 'large'), join(folder, 'small')];
  const outcome: Outcome = {
    options,
    startedAt: new Date(),
    commit: commitOf('HEAD') ?? 'unknown',
    loadAverage: [loadavg()[0] ?? 0],
    errors: [],
  };
  try {
    if (options.mustBeFilled && !(isFilled(large) && isFilled(small)))
      throw new Error(`${folder} is not filled to the end: --keep goes on with it`);
    mkdirSync(folder, { recursive: true });
    const smallSizes = scaled(options.sizes, SMALL_AGENTS / options.sizes.agents);
    for (const [dataDir, sizes] of [
      [small, smallSizes],
      [large, options.sizes],
    ] as const) {
      log(`filling ${dataDir}`);
      await fillDatabase(dataDir, sizes, log);
    }
    const phase = async (name: (typeof options.phases)[number], work: () => Promise<void>) => {
      if (!options.phases.includes(name)) return;
      log(name);
      // One that cannot be carried out keeps none of the others from being.
      await work().catch((error: unknown) => {
        const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
        log(text);
        outcome.errors.push(`${name}: ${text.split('\n').slice(0, 3).join(' ')}`);
      });
      outcome.loadAverage.push(loadavg()[0] ?? 0);
      write(outcome);
    };
    const { calls, minutes, rate, replicas: counts } = options;
    await phase('latencies', async () => {
      outcome.small = await measureLatencies(small, smallSizes, { calls, log });
      outcome.large = await measureLatencies(large, options.sizes, { calls, log });
    });
    await phase('plans', async () => {
      const { statements, failures } = await planPhase(large, options.sizes, log);
      outcome.statements = statements;
      outcome.errors.push(...failures.map((failure) => `plans: ${failure.slice(0, 300)}`));
    });
    await phase(
      'replicas',
      async () =>
        void (outcome.throughput = await replicasPhase(large, options.sizes, {
          counts,
          seconds: REPLICA_SECONDS,
          callers: CALLERS,
          log,
        })),
    );
    await phase(
      'load',
      async () => void (outcome.load = await loadPhase(large, options.sizes, { minutes, rate, log })),
    );
    outcome.seconds = Math.round((Date.now() - began) / 1_000);
    write(outcome);
    console.log(`\n${documentOf(outcome)}`);
    return isGood(outcome) ? 0 : 1;
  } finally {
    if (options.folder === undefined) await removeFolder(folder);
  }
}

/** After each phase: a run of hours that is ended leaves what it has found. */
function write(outcome: Outcome): void {
  const { document, phases } = outcome.options;
  if (document !== undefined && phases.length > 0) writeFileSync(document, documentOf(outcome));
}

function clock(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  return [seconds / 3_600, (seconds / 60) % 60, seconds % 60]
    .map((part) => String(Math.floor(part)).padStart(2, '0'))
    .join(':');
}
