import { until } from '#lib/testing';
import { SERVERS, type Target, type Victim } from '../fault-targets.js';
import type { FaultContext } from './fault-class.js';

/** PostgreSQL and NATS serve within a second, after a crash too. */
const SERVER_START_MS = 2_000;
/** How long a target may take to come back from its last fault before the next one. */
const COMES_BACK_MS = 120_000;
/** Most faults wait until their target serves; some shall hit a start. */
const HITS_START = 0.2;

/** One of the target's processes. Errors: none comes back from the fault before. */
export function chooseVictim({ targets, random, startMs }: FaultContext, target: Target): Promise<Victim> {
  const isServer = SERVERS.some((server) => server === target);
  const minAgeMs = random.next() < HITS_START ? 0 : isServer ? SERVER_START_MS : startMs;
  const choice = random.next();
  return until(
    `${target} runs again`,
    async () => {
      const victims = await targets.find(target);
      const victim = victims[Math.floor(choice * victims.length)];
      return victim !== undefined && victim.ageMs >= minAgeMs && victim;
    },
    { timeoutMs: COMES_BACK_MS, everyMs: 100 },
  );
}
