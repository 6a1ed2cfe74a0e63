import { ensureWorkspace, execCommand, getAgent, getAgentForTurn, updateAgent } from '#lib/contracts';
import { ownCall } from '#lib/call-context';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { limitsOf } from '../sandboxes/limits.js';
import { type LifecycleService, lifecycleService } from '../../test/lifecycle-service.js';

let service: LifecycleService;
beforeAll(async () => {
  service = await lifecycleService({ ROOST_MAX_TURN_SECONDS: '600', ROOST_MAX_WARMTH_MS: '600000' });
});
afterAll(() => service.stop());

const resources = (given: { cpu?: string; memory?: string }) => ({ configuration: { resources: given } });
const servers = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`s${n}`, { command: 'true' }]));

describe('what an agent may ask for at most', () => {
  it.each([
    ['configuration.resources.cpu', '4', resources({ cpu: '64' })],
    ['configuration.resources.cpu', '4', resources({ cpu: '4001m' })],
    ['configuration.resources.cpu', '4', resources({ cpu: '1000000m' })],
    ['configuration.resources.memory', '8Gi', resources({ memory: '500Gi' })],
    ['configuration.resources.memory', '8Gi', resources({ memory: '8589934593' })],
    ['configuration.resources.memory', '8Gi', resources({ memory: '1e30' })],
    ['configuration.resources.memory', '8Gi', resources({ memory: '1Ei' })],
    ['pvc_size', '100Gi', { pvc_size: '500Gi' }],
    ['configuration.timeout_seconds', 600, { configuration: { timeout_seconds: 601 } }],
    ['warmth_window_ms', 600_000, { warmth_window_ms: null }],
    ['warmth_window_ms', 600_000, { warmth_window_ms: 600_001 }],
    ['configuration.mcp_servers', 50, { configuration: { mcp_servers: servers(51) } }],
    [
      'configuration.custom_env',
      1_048_576,
      {
        configuration: {
          custom_env: { A: 'x' },
          mcp_servers: { s: { command: 'true', env: { A: 'x'.repeat(1_048_576) } } },
        },
      },
    ],
  ])('is %s of %s: more is refused at create and at update', async (field, maximum, input) => {
    const refusal = {
      code: 'VALIDATION_ERROR',
      message: expect.stringContaining(field),
      details: [{ field, maximum }],
    };
    await expect(service.agent(input)).rejects.toMatchObject(refusal);
    const { id } = await service.agent();
    await expect(service.ask(updateAgent, { agent_id: id, ...input })).rejects.toMatchObject(refusal);
  });

  it.each(['NaN', '-1', '1EiB', '1e', '', ' 1', '1 Gi', '0x10', 'Infinity', '1e-3', '+1', '١', '1,5', '1000000m'])(
    'is no quantity of memory like %j',
    (memory) => expect(service.agent(resources({ memory }))).rejects.toThrow(),
  );

  it.each(['NaN', '-1', '0', '0.0000001', '1e30', '1e1', '2Gi', '1k', '', '0m', '1.5m'])(
    'is no quantity of processors like %j',
    (cpu) => expect(service.agent(resources({ cpu }))).rejects.toThrow(),
  );

  it('takes what is at the maximum, and limits follow the quantities however they are written', async () => {
    await expect(service.agent(resources({ cpu: '4000m', memory: '8589934592' }))).resolves.toBeDefined();
    const limits = (given: { cpu?: string; memory?: string }) => limitsOf({ volumeBytes: 1, resources: given });
    expect(limits({ memory: '1e9' }).memoryBytes).toBe(1_000_000_000);
    expect(limits({ memory: '.5Gi' }).memoryBytes).toBe(2 ** 29);
    expect(limits({ memory: '0.0000001' }).memoryBytes).toBe(128 * 2 ** 20);
    expect(limits({ cpu: '0.5' }).cpuMillis).toBe(500);
  });

  it('clamps an agent that was stored with more: it starts, works and can be changed', async () => {
    const { id } = await service.agent();
    await service.rows.query(
      `UPDATE agents SET pvc_size = '500Gi', warmth_window_ms = NULL, configuration = $2 WHERE id = $1`,
      [id, JSON.stringify({ timeoutSeconds: 86_400, resources: { cpu: '64', memory: '500Gi' } })],
    );
    await service.ask(ensureWorkspace, { agent_id: id }, null);
    const { stdout } = await service.bus.request(
      execCommand,
      { agentId: id, execId: randomUUID(), command: 'ulimit -f', timeoutMs: 5_000, maxOutputBytes: 1_000 },
      ownCall(`req_${randomUUID()}`, 10_000),
    );
    expect(Number(stdout)).toBeLessThanOrEqual((100 * 2 ** 30) / 1024);
    await expect(service.ask(getAgentForTurn, { agent_id: id }, null)).resolves.toMatchObject({
      configuration: { timeoutSeconds: 600 },
    });
    await expect(service.ask(updateAgent, { agent_id: id, name: 'renamed' })).resolves.toMatchObject({
      name: 'renamed',
    });
    await expect(service.ask(getAgent, { agent_id: id })).resolves.toMatchObject({ pvcSize: '500Gi' });
  });
});
