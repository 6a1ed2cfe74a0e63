import type { Random } from './random.js';

export const SERVERS = ['postgres', 'nats-server'] as const;
/** Every service of Roost; a run may have several processes of one. */
export const SERVICES = [
  'agent-lifecycle',
  'messaging',
  'agent-runtime',
  'scheduler',
  'webhook-dispatch',
  'channels',
  'gateway',
] as const;

export type Target = (typeof SERVERS)[number] | (typeof SERVICES)[number] | 'docker-guard';

export interface Fault {
  /** From the begin of the load. */
  atMs: number;
  /**
   * `kill`: kill -9 · `wipe`: the NATS store is deleted under the running server, then the server is killed ·
   * `freeze`: SIGSTOP, and SIGCONT once the lease is over.
   */
  kind: 'kill' | 'wipe' | 'freeze';
  target: Target;
  /** Which of the target's processes, modulo their number. */
  replica: number;
  /** Whether it may hit a process that is just starting; most faults wait until it serves. */
  mayHitStart: boolean;
}

export interface PlanOptions {
  kills: number;
  freezes: number;
  wipes: number;
  durationMs: number;
  /** What is killed; by default every service and server. */
  targets?: readonly Target[] | undefined;
}

const HITS_START = 0.2;

/** A list of faults spread over the duration; the same for the same seed. Each target is killed about equally often. */
export function planFaults(random: Random, options: PlanOptions): Fault[] {
  const { kills, freezes, wipes, durationMs, targets: all = [...SERVICES, ...SERVERS] } = options;
  const targets = shuffledRounds(random, all, kills);
  const faults = targets.map((target) => ({ kind: 'kill' as const, target }) satisfies Partial<Fault>);
  const placed: Pick<Fault, 'kind' | 'target'>[] = [...faults];
  const insert = (fault: (typeof placed)[number]) =>
    void placed.splice(Math.floor(random.next() * (placed.length + 1)), 0, fault);
  for (let count = 0; count < wipes; count += 1) insert({ kind: 'wipe', target: 'nats-server' });
  for (let count = 0; count < freezes; count += 1) insert({ kind: 'freeze', target: 'agent-runtime' });
  const gapMs = durationMs / placed.length;
  return placed.map((fault, index) => ({
    ...fault,
    atMs: Math.round((index + random.next()) * gapMs),
    replica: Math.floor(random.next() * 16),
    mayHitStart: random.next() < HITS_START,
  }));
}

function shuffledRounds(random: Random, all: readonly Target[], count: number): Target[] {
  const targets: Target[] = [];
  while (targets.length < count) {
    const round = [...all];
    while (round.length > 0) targets.push(...round.splice(Math.floor(random.next() * round.length), 1));
  }
  return targets.slice(0, count);
}
