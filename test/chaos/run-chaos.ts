import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ownedFolder, removeFolder, spawnRoost } from '#lib/testing';
import { type Fault, planFaults } from './fault-plan.js';
import { injectFaults } from './inject-faults.js';
import { judge, type Verdict } from './ledger.js';
import { Load } from './load.js';
import { randomFrom } from './random.js';
import { answeredIn, marksIn, startStandInModel } from './stand-in-model.js';

export interface ChaosOptions {
  seed: number;
  /** Of load and faults; starting and settling come on top. */
  durationMs: number;
  kills: number;
  freezes: number;
  wipes: number;
  messagesPerSecond: number;
  agents: number;
  /** False switches the check of fencing tokens off: the run must then find duplicates. */
  isFenced: boolean;
  log(line: string): void;
}

export interface ChaosResult {
  faults: Fault[];
  verdict: Verdict;
  messages: number;
  /** Of event streams, by Last-Event-ID. */
  reconnects: number;
  /** Messages that more than one turn gave to a model: their first worker was lost. */
  retaken: number;
}

const LEASE_MS = 3_000;
const FREEZE_MS = 2.5 * LEASE_MS;
const ANSWER_MS = 300;
/** How long an accepted message may wait for its reply. */
const STUCK_MS = 60_000;
const SETTLE_MS = 75_000;

/**
 * Runs Roost with a process per service (two of messaging and of the brain), loads it, kills, freezes and wipes by
 * the seed's plan, lets it settle and judges every message. Errors: Roost that did not start or did not come back.
 */
export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const { seed, log } = options;
  const folder = ownedFolder();
  const dataDir = join(folder, 'roost');
  mkdirSync(dataDir, { mode: 0o711 });
  const plan = planFaults(randomFrom(seed), options);
  const model = await startStandInModel({ answerMs: ANSWER_MS });
  try {
    const spawnedAt = Date.now();
    const roost = await spawnRoost({
      dataDir,
      args: ['--replicas', 'messaging=2', '--replicas', 'agent-runtime=2'],
      env: {
        OPENAI_BASE_URL: model.url,
        ROOST_DEFAULT_MODEL: 'openai/stand-in',
        ROOST_LEASE_MS: String(LEASE_MS),
        ROOST_RATE_LIMIT_PER_MINUTE: '1000000',
        ...(options.isFenced ? {} : { ROOST_CHAOS_FENCE: 'off' }),
      },
    });
    // Nine services and two servers share the processors at this start: one alone takes less than half of it.
    const startMs = (Date.now() - spawnedAt) / 2;
    let isStopped = false;
    const load = new Load({ ...options, roost, conversationsPerAgent: 2, isStopped: () => isStopped });
    try {
      await load.prepare();
      const startedAt = Date.now();
      const injecting = injectFaults(plan, {
        launcherPid: roost.pid,
        dataDir,
        startedAt,
        startMs,
        freezeMs: FREEZE_MS,
        isStopped: () => isStopped,
        log,
      }).catch((error: unknown) => {
        isStopped = true;
        throw error;
      });
      const [faults] = await Promise.all([injecting, load.run(startedAt)]);
      log(`settling after ${Math.round((Date.now() - startedAt) / 1_000)} s`);
      await load.settle(SETTLE_MS);
      const verdict = judge({
        entries: load.entries,
        lists: await load.lists(),
        repeatedEvents: load.repeatedEvents,
        marksIn,
        answeredIn,
        stuckMs: STUCK_MS,
        endedAt: Date.now(),
      });
      const retaken = [...model.asked.values()].filter((times) => times > 1).length;
      return { faults, verdict, messages: load.entries.length, reconnects: load.reconnects, retaken };
    } finally {
      isStopped = true;
      await load.stop();
      await roost.stop();
      if (process.env.ROOST_CHAOS_LOG) copyFileSync(join(dataDir, 'logs', 'roost.log'), process.env.ROOST_CHAOS_LOG);
    }
  } finally {
    model.close();
    await removeFolder(folder);
  }
}
