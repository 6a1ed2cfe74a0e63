import type { Fault } from '#lib/testing';
import { setTimeout as pause } from 'node:timers/promises';
import { specOf } from '../driver-under-test.js';
import type { KubernetesFixture } from './kubernetes-fixture.js';

export interface FaultRunOptions {
  seed: number;
  faults: number;
  agents: number;
}

export interface FaultRunResult {
  injected: Record<string, number>;
  operations: number;
  /** Refusals that a caller saw; each is tried again by reconcile. */
  refused: number;
  orphans: string[];
  doubles: string[];
  missing: string[];
}

const convergeMs = 60_000;

/**
 * Two drivers on the same agents, against a cluster in trouble, until `faults` of them have happened; then calm. What
 * must hold within 60 s: every wanted agent has one pod, of the others nothing is left, and no volume was ever used twice.
 */
export async function runFaults(
  fixture: KubernetesFixture,
  { seed, faults, agents }: FaultRunOptions,
): Promise<FaultRunResult> {
  const { double } = fixture;
  const random = randomOf(seed);
  const specs = Array.from({ length: agents }, () => specOf());
  const drivers = [fixture.driver(), fixture.driver()];
  const injected: Record<string, number> = {};
  const count = () => Object.values(injected).reduce((sum, n) => sum + n, 0);
  const note = (name: string) => (injected[name] = (injected[name] ?? 0) + 1);
  let [operations, refused] = [0, 0];

  double.fault = ({ verb }) => {
    if (count() >= faults || random() > 0.15) return undefined;
    const fault = oneOf(random, verb === 'watch' ? watchFaults : requestFaults);
    note(fault.kind === 'status' ? String(fault.status) : fault.kind);
    return fault;
  };
  const trouble = async () => {
    while (count() < faults) {
      await pause(30 + random() * 60);
      const { agentId } = oneOf(random, specs);
      const kind = Math.floor(random() * 5);
      if (kind === 0 && double.kubelet.kill(agentId)) note('crash');
      if (kind === 1 && double.kubelet.kill(agentId, 'OOMKilled')) note('oom');
      if (kind === 2 && double.kubelet.evict(agentId)) note('evicted');
      if (kind === 3) {
        double.store.compact();
        note('compacted');
      }
      if (kind === 4 && random() < 0.2) {
        await double.hangUp();
        note('api away');
        await pause(200);
        await double.listen();
      }
    }
  };
  const use = async (spec: (typeof specs)[number]) => {
    while (count() < faults) {
      const driver = oneOf(random, drivers);
      const choice = random();
      const act =
        choice < 0.6 ? driver.ensure(spec) : choice < 0.85 ? driver.sleep(spec.agentId) : driver.remove(spec.agentId);
      operations += 1;
      await act.catch(() => (refused += 1));
    }
  };
  await Promise.all([trouble(), ...specs.map(use)]);
  double.fault = () => undefined;

  const wanted = specs.filter((_, index) => index % 2 === 0);
  const converge = async (act: () => Promise<void>) => {
    for (const deadline = Date.now() + convergeMs; Date.now() < deadline;) {
      try {
        return await act();
      } catch {
        await pause(200);
      }
    }
  };
  const [driver = fixture.driver()] = drivers;
  await Promise.all(
    specs.map((spec) => converge(() => (wanted.includes(spec) ? driver.ensure(spec) : driver.remove(spec.agentId)))),
  );
  const judge = () => judgeCluster(fixture, new Set(wanted.map(({ agentId }) => agentId)));
  let verdict = judge();
  for (const deadline = Date.now() + convergeMs; verdict.orphans.length + verdict.missing.length > 0;) {
    if (Date.now() > deadline) break;
    await pause(100);
    verdict = judge();
  }
  return { injected, operations, refused, ...verdict };
}

function judgeCluster({ double }: KubernetesFixture, wanted: Set<string>) {
  const all = double.store.everything().filter(({ plural }) => plural !== 'events');
  const uids = new Set(all.map(({ object }) => object.metadata.uid));
  const isOrphan = ({ plural, object: { metadata } }: (typeof all)[number]) =>
    !wanted.has(metadata.labels?.['roost.dev/agent-id'] ?? '') ||
    (plural !== 'persistentvolumeclaims' && !metadata.ownerReferences?.every(({ uid }) => uids.has(uid)));
  const missing = [...wanted].filter(
    (agentId) =>
      all.filter(({ object }) => object.metadata.labels?.['roost.dev/agent-id'] === agentId).length !== kindsPerAgent,
  );
  const doubles = [...double.kubelet.mostAtOnce].filter(([, most]) => most > 1).map(([volume]) => volume);
  const orphans = all.filter(isOrphan).map(({ plural, object }) => `${plural}/${object.metadata.name}`);
  return { orphans, missing, doubles };
}

/** Claim, account, policy, secret, set and pod. */
const kindsPerAgent = 6;

const requestFaults: Fault[] = [
  { kind: 'status', status: 409 },
  { kind: 'status', status: 429, retryAfterSeconds: 0.1 },
  { kind: 'status', status: 500 },
  { kind: 'status', status: 503 },
  { kind: 'break-before' },
  { kind: 'break-after' },
];
const watchFaults: Fault[] = [
  { kind: 'status', status: 410 },
  { kind: 'status', status: 500 },
  { kind: 'break-before' },
  { kind: 'silence' },
];

function oneOf<T>(random: () => number, items: T[]): T {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new RangeError('nothing to choose from');
  return item;
}

/** mulberry32: the same faults for the same seed, as far as the order of requests allows. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
