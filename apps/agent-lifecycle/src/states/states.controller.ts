import { Handles } from '#lib/bus';
import { accountOf, type CallContext } from '#lib/call-context';
import { pauseAgent, resumeAgent, setAgentStatus, stopAgent } from '#lib/contracts';
import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { StatesService } from './states.service.js';
import type { Action } from './transitions.js';

@Controller()
export class StatesController {
  constructor(private readonly states: StatesService) {}

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
    const { status } = await this.states.act({ agentId, accountId: accountOf(context) }, action);
    return { message: `the agent is ${status}`, status };
  }
}
