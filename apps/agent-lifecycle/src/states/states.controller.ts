import { accountOf, Bus, type CallContext, Handles } from '#lib/bus';
import { pauseAgent, resumeAgent, setAgentStatus, stopAgent, WAKE_RUNTIME } from '#lib/contracts';
import { Database } from '#lib/database';
import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { stateOf } from '../agents/agent-row.js';
import { WorkspacesService } from '../workspaces/workspaces.service.js';
import { changeStatus } from './change-status.js';
import { syncMessagingState } from './sync-messaging-state.js';
import type { Action } from './transitions.js';

@Controller()
export class StatesController {
  constructor(
    private readonly database: Database,
    private readonly bus: Bus,
    private readonly workspaces: WorkspacesService,
  ) {}

  @Handles(pauseAgent)
  pause({ agentId }: { agentId: string }, context: CallContext) {
    return this.act(agentId, context, 'pause');
  }

  @Handles(resumeAgent)
  resume({ agentId }: { agentId: string }, context: CallContext) {
    return this.act(agentId, context, 'resume');
  }

  @Handles(stopAgent)
  stop({ agentId }: { agentId: string }, context: CallContext) {
    return this.act(agentId, context, 'stop');
  }

  @Handles(setAgentStatus)
  set({ agentId, status }: z.output<typeof setAgentStatus.input>, context: CallContext) {
    return this.act(agentId, context, `set-${status}`);
  }

  private async act(agentId: string, context: CallContext, action: Action) {
    const accountId = accountOf(context);
    const { agent, hasChanged } = await this.database.transaction((tx) =>
      changeStatus(tx, { agentId, accountId }, action),
    );
    if (hasChanged) {
      // Messaging cancels the running turn of an agent that is stopped, and offers the waiting ones of an active one.
      await syncMessagingState(this.bus, stateOf(agent));
      this.workspaces.failures.clear(agentId);
      if (agent.status === 'stopped') this.workspaces.sleepSoon(agentId);
      if (agent.status === 'active') this.bus.signal(WAKE_RUNTIME);
      if (action === 'set-paused') this.workspaces.ensureSoon(agentId);
    }
    return { message: `the agent is ${agent.status}`, status: agent.status };
  }
}
