import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { apiClient, until } from '#lib/testing';
import { checkRecord, type Verdict } from '../../ledger/check/check-record.js';
import { SERVERS, SERVICES, type Target } from '../../ledger/fault-targets.js';
import type { FaultContext } from '../../ledger/faults/fault-class.js';
import { freezes } from '../../ledger/faults/freezes.js';
import { killsOf } from '../../ledger/faults/kills.js';
import { wipedBus } from '../../ledger/faults/wiped-bus.js';
import { Client } from '../../ledger/load/client.js';
import { FileLoad } from '../../ledger/load/file-load.js';
import { MessageLoad } from '../../ledger/load/message-load.js';
import { SlotLoad } from '../../ledger/load/slot-load.js';
import { randomFrom } from '../../ledger/random.js';
import { readRecord, Record } from '../../ledger/record.js';
import { planFaults, runPlan } from '../../ledger/run-plan.js';
import { LEASE_MS, STUCK_MS } from '../../ledger/timing.js';
import { untilReady } from '../journey.js';
import { seconds } from '../seconds.js';
import type { Stack, StackInput } from '../stack.js';
import { Containers } from './containers.js';
import { openForwarders } from './forwarders.js';

export interface ReplicasInput {
  stack: Stack;
  socket: string;
  seed: number;
  say(line: string): void;
}

const doubled = [...SERVICES, 'docker-guard'] as const;
const targets: Target[] = [...doubled, ...SERVERS];
/** Faults as the ledger has them: containers take this machine twice the time to come back as processes do. */
const counts = new Map([
  [killsOf(targets), 30],
  [freezes, 3],
  [wipedBus, 1],
]);
const DURATION_MS = 120_000;
const FINISH_MS = 75_000;
const load = { messagesPerSecond: 50, agents: 20 };
const FILE_EVERY_MS = 10_000;

export const replicasFile = (root: string): StackInput['files'][number] => ({
  path: join(root, 'test/docker/compose.replicas.yml'),
  env: { ROOST_TEST_LEASE_MS: String(LEASE_MS), ROOST_TEST_DIST: join(root, 'dist/test') },
});

/**
 * Two containers of each service, and the ledger's messages through both gateways, with files written into the agents'
 * containers and a schedule, while containers are killed, frozen and brought back by their restart policy.
 * Errors: a message, file or slot that was lost, doubled, stuck or out of order, and what is left of deleted agents.
 */
export async function tryReplicas({ stack, socket, seed, say }: ReplicasInput): Promise<void> {
  const containers = new Containers(socket, stack.project);
  const startedAt = Date.now();
  await stack.compose('up', '-d', ...doubled.flatMap((service) => ['--scale', `${service}=2`]));
  const gateways = await openForwarders(containers, 'gateway', 3000);
  const folder = await mkdtemp(join(tmpdir(), 'roost-replicas-'));
  const record = new Record(join(folder, 'record.jsonl'));
  try {
    const { urls } = gateways;
    const ready = await Promise.all(urls.map((url) => untilReady(url, startedAt)));
    say(`seed ${seed}: two of each service, ready ${ready.map(seconds).join(' and ')} after up`);
    const client = new Client({ urls, apiKey: stack.apiKey });
    const context = {
      targets: await containers.asTargets(),
      random: randomFrom(seed),
      // All services share the processors at the first start.
      startMs: Math.max(...ready) / 4,
    };
    const { agentIds, files } = await loadUnderFaults(client, record, context, say);
    const verdict = await checkRecord(readRecord(record.path), { stuckMs: STUCK_MS });
    say(describe(verdict));
    say(`Files: ${refusals(files)}`);
    const restarts = await Promise.all([...doubled, 'postgres', 'nats'].map((name) => containers.restartsOf(name)));
    say(`Brought back by the restart policy: ${restarts.reduce((sum, count) => sum + count, 0)} times`);
    const left = await deleteAgents(stack, urls, containers, agentIds);
    say(`Agents deleted: ${agentIds.length}, of which ${left.length} containers and volumes are left`);
    say(`Again: npm run test:docker -- --replicas --seed ${seed}`);
    const wrong = [...verdict.findings.map(({ promise, what }) => `${promise}: ${what}`), ...left];
    if (wrong.length > 0) throw new Error(['it does not hold:', ...wrong].join('\n'));
  } finally {
    record.close();
    gateways.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function loadUnderFaults(
  client: Client,
  record: Record,
  context: Omit<FaultContext, 'begin'>,
  say: ReplicasInput['say'],
) {
  let isOver = false;
  const shared = { client, record, isOver: () => isOver };
  const messages = new MessageLoad({ ...shared, ...load });
  const files = new FileLoad({ ...shared, everyMs: FILE_EVERY_MS });
  const slots = new SlotLoad(client, record);
  try {
    await messages.prepare();
    const { agentIds } = messages;
    const wakingAt = Date.now();
    await files.wake(agentIds);
    await slots.begin();
    say(`${agentIds.length} agents, each in a container of its own, after ${seconds(Date.now() - wakingAt)}`);
    const plan = planFaults<FaultContext>(context.random, counts, DURATION_MS);
    const faults = runPlan(plan, { context, record, isStopped: shared.isOver, log: say }).finally(
      () => (isOver = true),
    );
    await Promise.all([faults, messages.run(), files.run(agentIds, shared.isOver)]);
    await slots.end();
    await until('all are answered', () => messages.answers.missing === 0, { timeoutMs: FINISH_MS }).catch(
      () => undefined,
    );
    await messages.list();
    await files.read();
    record.write({ kind: 'end' });
    return { agentIds: [...agentIds, slots.agentId], files };
  } finally {
    isOver = true;
    await messages.stop();
  }
}

function describe({ counts: { accepted, answered, files, slots }, latenciesMs, findings }: Verdict): string {
  const at = (quantile: number) => Math.round(latenciesMs[Math.floor(latenciesMs.length * quantile)] ?? 0);
  return `${accepted} messages accepted, ${answered} answered (p50 ${at(0.5)} ms, p99 ${at(0.99)} ms), ${slots} slots, ${files} files: ${findings.length} findings`;
}

const refusals = ({ refusals }: FileLoad) =>
  [...refusals].map(([kind, count]) => `${count} × ${kind}`).join(', ') || 'none refused';

/** Deletes every agent; the names of what is left of them a minute later. */
async function deleteAgents(stack: Stack, urls: string[], containers: Containers, ids: string[]): Promise<string[]> {
  const api = (index: number) => apiClient(urls[index % urls.length] ?? '', stack.apiKey);
  for (const [index, id] of ids.entries()) {
    await until(`agent ${id} is deleted`, async () => {
      const answer = await api(index)('POST', `/v1/agent/delete/${id}`).catch(() => undefined);
      return answer !== undefined && [200, 404].includes(answer.status);
    });
  }
  await until('nothing is left of them', async () => (await containers.leftOf(stack.project)).length === 0).catch(
    () => undefined,
  );
  return containers.leftOf(stack.project);
}
