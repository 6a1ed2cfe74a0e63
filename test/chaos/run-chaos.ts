import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ownedFolder, removeFolder, spawnRoost } from '#lib/testing';
import { loadUnderFaults, type UnderFaults } from './load-under-faults.js';
import { randomFrom } from './random.js';
import { MisbehavingModel } from './misbehaving-model.js';
import { childProcesses } from './targets.js';
import { ANSWER_MS, LEASE_MS, SILENCE_SECONDS } from './timing.js';

export interface ChaosOptions {
  seed: number;
  /** Of load and faults; starting and settling come on top. */
  durationMs: number;
  kills: number;
  freezes: number;
  wipes: number;
  messagesPerSecond: number;
  agents: number;
  /** Part of the model's answers that go wrong in one way or another. */
  misbehaviourRate: number;
  /** False switches the check of fencing tokens off: the run must then find duplicates. */
  isFenced: boolean;
  log(line: string): void;
}

export interface ChaosResult extends UnderFaults {
  /** Messages that more than one turn gave to a model: their first worker was lost. */
  retaken: number;
  /** What the misbehaving model counted; absent behind one that behaves. */
  model?: Pick<MisbehavingModel, 'requests' | 'disturbed' | 'refusals'>;
}

/**
 * Runs Roost with a process per service (two of messaging and of agent-runtime), loads it, kills, freezes and wipes by
 * the seed's plan, lets it finish and judges every message. Errors: Roost that did not start or did not come back.
 */
export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const folder = ownedFolder();
  const dataDir = join(folder, 'roost');
  mkdirSync(dataDir, { mode: 0o711 });
  const model = await MisbehavingModel.start({
    answerMs: ANSWER_MS,
    misbehaviourRate: options.misbehaviourRate,
    random: randomFrom(options.seed),
  });
  try {
    const spawnedAt = Date.now();
    const roost = await spawnRoost({
      dataDir,
      args: ['--replicas', 'messaging=2', '--replicas', 'agent-runtime=2'],
      env: {
        ...model.env,
        ROOST_MODEL_SILENCE_SECONDS: String(SILENCE_SECONDS),
        ROOST_LEASE_MS: String(LEASE_MS),
        ROOST_RATE_LIMIT_PER_MINUTE: '1000000',
        ...(options.isFenced ? {} : { ROOST_CHAOS_FENCE: 'off' }),
      },
    });
    try {
      const result = await loadUnderFaults({
        ...options,
        urls: [roost.url],
        apiKey: roost.apiKey,
        models: model.names,
        victims: childProcesses(roost.pid, dataDir),
        // Nine services and two servers share the processors at this start: one alone takes less than half of it.
        startMs: (Date.now() - spawnedAt) / 2,
      });
      return { ...result, model, retaken: retakenOf(model.asked.values()) };
    } finally {
      await roost.stop();
      if (process.env.ROOST_CHAOS_LOG) copyFileSync(join(dataDir, 'logs', 'roost.log'), process.env.ROOST_CHAOS_LOG);
    }
  } finally {
    await model.stop();
    await removeFolder(folder);
  }
}

/** How many messages a model was asked to answer more than once. */
export const retakenOf = (asked: Iterable<number>): number => [...asked].filter((times) => times > 1).length;
