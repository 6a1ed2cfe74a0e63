import { type Fault, planFaults, type PlanOptions } from './fault-plan.js';
import type { FaultTargets } from './fault-targets.js';
import { injectFaults } from './inject-faults.js';
import { judge, type Verdict } from './ledger.js';
import { Load, type LoadOptions } from './load.js';
import { randomFrom } from './random.js';
import { answeredIn, marksIn } from './stand-in-model.js';
import { FREEZE_MS, FINISH_MS, STUCK_MS } from './timing.js';

export interface UnderFaultsOptions extends PlanOptions, Omit<LoadOptions, 'isStopped' | 'conversationsPerAgent'> {
  seed: number;
  victims: FaultTargets;
  /** How long a service takes to start on this machine. */
  startMs: number;
  /** Before the load begins. */
  warmUp?: ((agentIds: string[]) => Promise<void>) | undefined;
  /** What else goes on while the faults happen, until `isOver`. */
  alongside?: ((agentIds: string[], isOver: () => boolean) => Promise<void>) | undefined;
  log(line: string): void;
}

export interface UnderFaults {
  faults: Fault[];
  verdict: Verdict;
  messages: number;
  /** Of event streams, by Last-Event-ID. */
  reconnects: number;
  /** They are still there. */
  agentIds: string[];
}

/**
 * Loads a Roost that is ready, kills, freezes and wipes by the seed's plan, lets it finish and judges every message.
 * Errors: a target that did not come back.
 */
export async function loadUnderFaults(options: UnderFaultsOptions): Promise<UnderFaults> {
  const { seed, victims, log, startMs, warmUp, alongside } = options;
  const plan = planFaults(randomFrom(seed), options);
  let isStopped = false;
  const load = new Load({ ...options, conversationsPerAgent: 2, isStopped: () => isStopped });
  try {
    await load.prepare();
    await warmUp?.(load.agentIds);
    const startedAt = Date.now();
    const injecting = injectFaults(plan, {
      targets: victims,
      startedAt,
      startMs,
      freezeMs: FREEZE_MS,
      isStopped: () => isStopped,
      log,
    }).catch((error: unknown) => {
      isStopped = true;
      throw error;
    });
    let isOver = false;
    const other = alongside?.(load.agentIds, () => isOver || isStopped);
    const [faults] = await Promise.all([injecting, load.run(startedAt)]).finally(() => (isOver = true));
    await other;
    log(`settling after ${Math.round((Date.now() - startedAt) / 1_000)} s`);
    await load.finish(FINISH_MS);
    const verdict = judge({
      entries: load.entries,
      lists: await load.lists(),
      repeatedEvents: load.repeatedEvents,
      marksIn,
      answeredIn,
      stuckMs: STUCK_MS,
      endedAt: Date.now(),
    });
    const { entries, reconnects, agentIds } = load;
    return { faults, verdict, messages: entries.length, reconnects, agentIds };
  } finally {
    isStopped = true;
    await load.stop();
  }
}
