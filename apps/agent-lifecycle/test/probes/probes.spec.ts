import { randomUUID } from 'node:crypto';
import { ownCall } from '#lib/call-context';
import { ensureWorkspace, execCommand, healthCheck } from '#lib/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LifecycleService, lifecycleService } from '../lifecycle-service.js';
import { abuseLimits, probeFixture, probeGroups, probeTable, runProbes } from './index.js';

let service: LifecycleService;
beforeAll(async () => {
  service = await lifecycleService();
});
afterAll(() => service?.stop());

/** Enough of the slow ones for every run; `npm run probes` tries all. */
const quickAbuses = ['hundreds of processes', 'memory', 'disk, reserved ahead'];

describe.runIf(process.getuid?.() === 0)('a hostile command', () => {
  it('gets out of the sandbox by none of the ways that are open without it', async () => {
    const { id: agentId } = await service.agent({
      pvc_size: `${abuseLimits.volumeBytes / 2 ** 20}Mi`,
      configuration: { resources: { memory: abuseLimits.memory, cpu: abuseLimits.cpu }, network: { mode: 'public' } },
    });
    const fixture = await probeFixture(Number(new URL(process.env['ROOST_TEST_NATS_URL'] ?? '').port));
    try {
      await service.ask(ensureWorkspace, { agent_id: agentId }, null);
      const results = await runProbes({
        fixture,
        groups: probeGroups.map((group) =>
          group.isAlone ? { ...group, probes: group.probes.filter(({ name }) => quickAbuses.includes(name)) } : group,
        ),
        async runInSandbox(command, timeoutMs) {
          const input = { agentId, execId: randomUUID(), command, timeoutMs, maxOutputBytes: 10_000 };
          return (await service.bus.request(execCommand, input, ownCall('probe', timeoutMs + 10_000))).stdout;
        },
      });
      console.log(probeTable(results));
      expect(results.filter(({ hasPassed }) => hasPassed)).toEqual([]);
      expect(results.filter(({ isPossible }) => isPossible).length).toBeGreaterThanOrEqual(80);
    } finally {
      await fixture.clear();
    }
  });
});

it('reports to an operator how workspaces are isolated here', async () => {
  const { details } = await service.ask(healthCheck('agent-lifecycle'), {});
  expect(details).toMatchObject({ runtime: 'bubblewrap', volumes: expect.stringMatching(/image|measured/) });
});
