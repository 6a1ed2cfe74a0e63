import { join } from 'node:path';
import { mkdirSync } from 'node:fs';
import { ownedFolder, removeFolder } from '#lib/testing';
import type { Promised } from './check/check-record.js';
import type { FaultClass } from './faults/fault-class.js';
import { patchedBuild } from './roost/builds.js';
import { runLedger } from './run-ledger.js';

export interface ControlResult {
  fault: string;
  without: string;
  /** What the checker found, by promise. */
  found: Map<Promised, number>;
  isNoticed: boolean;
}

export interface ControlsOptions {
  seed: number;
  messagesPerSecond: number;
  log(line: string): void;
}

/** A fault every so often: enough for what is not guarded to show. */
const EVERY_MS = 2_500;
const LEAST_MS = 15_000;
/** What is lost does not come, however long it is waited for. */
const FINISH_MS = 20_000;
const AGENTS = 10;

/**
 * Runs the faults of one class against a build without the line that guards against it. A run that finds nothing is one
 * that would not notice it either if somebody removed that line. Errors: a line that is not there any more.
 */
export async function runControl(fault: FaultClass, options: ControlsOptions): Promise<ControlResult> {
  const { control, name } = fault;
  const folder = ownedFolder();
  try {
    mkdirSync(join(folder, 'builds'));
    const patched = patchedBuild(join(folder, 'builds', name), `${name} control`, control.patches);
    const { verdict } = await runLedger({
      ...options,
      counts: new Map([[{ ...fault, inject: control.inject ?? fault.inject }, control.faults]]),
      durationMs: Math.max(LEAST_MS, control.faults * EVERY_MS),
      agents: AGENTS,
      misbehaviourRate: 0,
      isQuick: true,
      finishMs: FINISH_MS,
      postgres: control.postgres,
      ...(control.replaces === 'previous' ? { previous: patched } : { build: patched }),
    });
    const found = new Map<Promised, number>();
    for (const { promise } of verdict.findings) found.set(promise, (found.get(promise) ?? 0) + 1);
    return {
      fault: name,
      without: control.without,
      found,
      isNoticed: control.breaks.some((promise) => found.has(promise)),
    };
  } finally {
    await removeFolder(folder);
  }
}
