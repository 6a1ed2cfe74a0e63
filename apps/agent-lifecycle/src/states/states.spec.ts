import { randomUUID } from 'node:crypto';
import { serve } from '#lib/rpc';
import {
  type AgentStatus,
  checkAgentReady,
  deleteAgent,
  getAgentState,
  pauseAgent,
  resumeAgent,
  setAgentStatus,
  stopAgent,
  syncAgent,
} from '#lib/contracts';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LifecycleService, lifecycleService } from '../../test/lifecycle-service.js';
import { type Action, nextStatus } from './transitions.js';

let service: LifecycleService;
beforeAll(async () => {
  service = await lifecycleService({ ROOST_BWRAP: '' });
});
afterAll(() => service.stop());

const ask = (agentId: string, action: Action) => {
  if (action === 'pause') return service.ask(pauseAgent, { agent_id: agentId });
  if (action === 'resume') return service.ask(resumeAgent, { agent_id: agentId });
  if (action === 'stop') return service.ask(stopAgent, { agent_id: agentId });
  return service.ask(setAgentStatus, { agent_id: agentId, status: action.slice(4) as 'active' });
};

describe('pause, resume, stop and status', () => {
  it('agree with the table over the bus, with one event per change and a growing revision', async () => {
    // Without a workspace to be had: `set-paused` on a stopped agent would end in error, which has a test of its own.
    const actions = fc.array(fc.constantFrom<Action>('pause', 'resume', 'stop', 'set-active', 'set-stopped'), {
      minLength: 1,
      maxLength: 12,
    });
    await fc.assert(
      fc.asyncProperty(actions, async (sequence) => {
        const { id } = await service.agent();
        let status: AgentStatus = 'active';
        let changes = 0;
        for (const action of sequence) {
          let wanted: AgentStatus | undefined;
          try {
            wanted = nextStatus(status, action);
          } catch {
            await expect(ask(id, action)).rejects.toMatchObject({ code: 'VALIDATION_ERROR' });
          }
          if (wanted === undefined) continue;
          await expect(ask(id, action)).resolves.toMatchObject({ status: wanted });
          if (wanted !== status) changes += 1;
          status = wanted;
        }
        await expect(service.ask(getAgentState, { agent_id: id }, null)).resolves.toMatchObject({
          status,
          revision: 1 + changes,
        });
        const events = await service.rows.query(
          `SELECT payload->>'previous' AS previous FROM outbox WHERE key = $1 AND subject LIKE '%status-changed'`,
          [id],
        );
        expect(events).toHaveLength(changes);
      }),
      { numRuns: 60 },
    );
  });

  it('are sent to messaging before the request is answered', async () => {
    const received: unknown[] = [];
    const listener = serve(
      service.bus.connection,
      syncAgent,
      syncAgent.subject,
      (state) => {
        received.push(state);
        return { accepted: true };
      },
      () => undefined,
    );
    await service.bus.connection.flush();
    const { id } = await service.agent();
    await ask(id, 'stop');
    expect(received).toMatchObject([
      { agentId: id, accountId: service.account, status: 'active', revision: 1, isExhausted: false },
      { agentId: id, status: 'stopped', revision: 2 },
    ]);
    await service.ask(deleteAgent, { agent_id: id });
    expect(received).toHaveLength(3);
    listener.unsubscribe();
  });

  it('determine whether a message would be processed now', async () => {
    const { id } = await service.agent();
    const ready = () => service.ask(checkAgentReady, { agent_id: id });
    await expect(ready()).resolves.toEqual({ ready: true, status: 'active', workspace: 'asleep' });
    await ask(id, 'pause');
    await expect(ready()).resolves.toEqual({
      ready: false,
      status: 'paused',
      workspace: 'asleep',
      reason: 'the agent is paused',
    });
    await ask(id, 'stop');
    await expect(ready()).resolves.toMatchObject({ ready: false, workspace: 'stopped' });
  });

  it('are refused to other accounts', async () => {
    const { id } = await service.agent();
    await expect(service.ask(stopAgent, { agent_id: id }, randomUUID())).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
