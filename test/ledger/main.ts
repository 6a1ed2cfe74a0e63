import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { optionsOrEnd } from '../options-or-end.js';
import { faultClasses } from './faults/index.js';
import type { FaultClass } from './faults/fault-class.js';
import { documentOf, isClean, type Outcome } from './document.js';
import { help, type LedgerOptions, readOptions } from './options.js';
import { buildOf, commitOf, previousRevision } from './roost/builds.js';
import { runControl } from './run-controls.js';
import { runLedger } from './run-ledger.js';

/**
 * `npm run ledger` and `npm run ledger:quick`: exits with 1 when something was not as promised, with 2 when a positive
 * control was not noticed.
 */
const IN_NAMESPACE = 'ROOST_LEDGER_IN_NAMESPACE';
const log = (line: string) => console.log(line);
const AGENTS = { quick: 10, long: 20 };
/** Without --minutes: a fault every so often. */
const EVERY_MS = { quick: 1_400, long: 4_000 };

const options = optionsOrEnd(help, readOptions);
process.exit(mustHideMounts() ? await runInNamespace() : await main(options));

async function main(given: LedgerOptions): Promise<number> {
  const skipped = await skippedClasses(given);
  const counts = new Map([...given.counts].map(([fault, count]) => [fault, skipped.has(fault) ? 0 : count]));
  const outcome: Outcome = {
    options: given,
    startedAt: new Date(),
    commit: commitOf('HEAD') ?? 'unknown',
    run: undefined,
    skipped,
    controls: [],
    loadAverage: [loadavg()[0] ?? 0],
  };
  if (given.runsFaults) await runFaults(outcome, counts);
  outcome.loadAverage.push(loadavg()[0] ?? 0);
  writeDocument(outcome);
  if (given.runsControls) await runControls(outcome);
  log(`\n${documentOf(outcome)}`);
  return !isClean(outcome) ? 1 : outcome.controls.every(({ isNoticed }) => isNoticed) ? 0 : 2;
}

async function runFaults(outcome: Outcome, counts: Map<FaultClass, number>): Promise<void> {
  const { seed, minutes, rate, misbehaviourRate, isQuick } = outcome.options;
  const all = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const kind = isQuick ? 'quick' : 'long';
  const durationMs = minutes === undefined ? all * EVERY_MS[kind] : minutes * 60_000;
  log(`seed ${seed}: ${[...counts].map(([{ name }, count]) => `${count} ${name}`).join(', ')}`);
  // Before the load begins: building takes both processors.
  const rolls = [...counts].some(([{ name }, count]) => name === 'rolling-restarts' && count > 0);
  const previous = rolls ? buildOf(previousRevision() ?? 'HEAD') : undefined;
  const run = { seed, counts, durationMs, misbehaviourRate, isQuick, previous, log };
  try {
    outcome.run = await runLedger({ ...run, messagesPerSecond: rate, agents: AGENTS[kind] });
  } catch (error) {
    outcome.error = error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
}

async function runControls(outcome: Outcome): Promise<void> {
  const { options, skipped, controls } = outcome;
  const { seed, rate, counts } = options;
  for (const fault of faultClasses) {
    if ((counts.get(fault) ?? 0) === 0 || skipped.has(fault)) continue;
    log(`\npositive control of ${fault.name}: without ${fault.control.without}`);
    controls.push(await runControl(fault, { seed, messagesPerSecond: rate, log }));
    writeDocument(outcome);
  }
}

/** After each step: a run of hours that is ended leaves what it has found. */
function writeDocument(outcome: Outcome): void {
  if (outcome.options.document !== undefined) writeFileSync(outcome.options.document, documentOf(outcome));
}

/** Those that cannot be made here, and why. */
async function skippedClasses({ counts }: LedgerOptions): Promise<Map<FaultClass, string>> {
  const skipped = new Map<FaultClass, string>();
  for (const [fault, count] of counts) {
    const why = count > 0 ? await fault.missing?.() : undefined;
    if (why === undefined) continue;
    skipped.set(fault, why);
    log(`SKIPPED ${fault.name}: ${why}`);
  }
  return skipped;
}

/** As root in a mount namespace of its own: what it mounts goes with its last process, however that ends. */
function mustHideMounts(): boolean {
  if (process.env[IN_NAMESPACE] !== undefined || process.getuid?.() !== 0) return false;
  return spawnSync('unshare', ['--mount', 'true']).status === 0;
}

async function runInNamespace(): Promise<number> {
  const child = spawn('unshare', ['--mount', '--propagation', 'private', process.execPath, ...process.argv.slice(1)], {
    env: { ...process.env, [IN_NAMESPACE]: 'yes' },
    stdio: 'inherit',
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
}
