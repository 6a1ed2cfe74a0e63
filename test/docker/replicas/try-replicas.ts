import { join } from 'node:path';
import { apiClient, until } from '#lib/testing';
import { SERVERS, SERVICES, type Target } from '../../chaos/fault-plan.js';
import { isClean } from '../../chaos/ledger.js';
import { loadUnderFaults } from '../../chaos/load-under-faults.js';
import { describeResult } from '../../chaos/report.js';
import { retakenOf } from '../../chaos/run-chaos.js';
import { LEASE_MS } from '../../chaos/timing.js';
import { untilReady } from '../journey.js';
import { seconds } from '../seconds.js';
import type { Stack, StackInput } from '../stack.js';
import { Containers } from './containers.js';
import { FileLoad } from './file-load.js';
import { openForwarders } from './forwarders.js';
import { SlotLoad } from './slot-load.js';

export interface ReplicasInput {
  stack: Stack;
  socket: string;
  seed: number;
  say(line: string): void;
}

const doubled = [...SERVICES, 'docker-guard'] as const;
const targets: Target[] = [...doubled, ...SERVERS];
/** As `npm run chaos:quick` has it, with half the faults: containers take this machine twice the time to come back. */
const load = { durationMs: 120_000, kills: 30, freezes: 3, wipes: 1, messagesPerSecond: 50, agents: 20 };
const FILE_EVERY_MS = 10_000;

export const replicasFile = (root: string): StackInput['files'][number] => ({
  path: join(root, 'test/docker/compose.replicas.yml'),
  env: { ROOST_TEST_LEASE_MS: String(LEASE_MS), ROOST_TEST_DIST: join(root, 'dist/test') },
});

/**
 * Two containers of each service, and the load of `npm run chaos:quick` through both gateways, with files written into
 * the agents' containers and a schedule, while containers are killed, frozen and brought back by their restart policy.
 * Errors: a message, file or slot that was lost, doubled, stuck or out of order, and what is left of deleted agents.
 */
export async function tryReplicas({ stack, socket, seed, say }: ReplicasInput): Promise<void> {
  const containers = new Containers(socket, stack.project);
  const startedAt = Date.now();
  await stack.compose('up', '-d', ...doubled.flatMap((service) => ['--scale', `${service}=2`]));
  const gateways = await openForwarders(containers, 'gateway', 3000);
  const model = await openForwarders(containers, 'model', 8080);
  try {
    const { urls } = gateways;
    const ready = await Promise.all(urls.map((url) => untilReady(url, startedAt)));
    say(`seed ${seed}: two of each service, ready ${ready.map(seconds).join(' and ')} after up`);
    const { apiKey } = stack;
    const files = new FileLoad({ urls, apiKey, everyMs: FILE_EVERY_MS });
    const slots = new SlotLoad({ urls, apiKey });
    const under = await loadUnderFaults({
      ...load,
      seed,
      urls,
      apiKey,
      targets,
      victims: await containers.asTargets(),
      // All services share the processors at the first start.
      startMs: Math.max(...ready) / 4,
      warmUp: async (agentIds) => {
        const wakingAt = Date.now();
        await files.wake(agentIds);
        await slots.begin();
        say(`${agentIds.length} agents, each in a container of its own, after ${seconds(Date.now() - wakingAt)}`);
      },
      alongside: (agentIds, isOver) => files.run(agentIds, isOver),
      log: say,
    });
    const asked = (await (await fetch(`${model.urls[0]}/asked`)).json()) as number[];
    say(describeResult(load, { ...under, retaken: retakenOf(asked) }));
    const lost = await files.lost();
    const fired = await slots.end();
    say(`Files: ${files.written.length} written, ${lost.length} lost; ${refusals(files)}`);
    say(`Schedule: ${fired.slots} slots, ${fired.wrong.length} not carried out once`);
    const restarts = await Promise.all([...doubled, 'postgres', 'nats'].map((name) => containers.restartsOf(name)));
    say(`Brought back by the restart policy: ${restarts.reduce((sum, count) => sum + count, 0)} times`);
    const left = await deleteAgents(stack, urls, containers, [...under.agentIds, slots.agentId]);
    say(`Agents deleted: ${under.agentIds.length + 1}, of which ${left.length} containers and volumes are left`);
    say(`Again: npm run test:docker -- --replicas --seed ${seed}`);
    const wrong = [...lost, ...fired.wrong, ...left];
    if (!isClean(under.verdict) || wrong.length > 0) throw new Error(['it does not hold:', ...wrong].join('\n'));
  } finally {
    gateways.close();
    model.close();
  }
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
