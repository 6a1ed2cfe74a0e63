import { Bus } from '#lib/bus';
import { type CallContext, currentCall, ownCall } from '#lib/call-context';
import { callThatStarts, getAgentState, pingWorkspace, type RequestContract, RoostError } from '#lib/contracts';
import { Injectable } from '@nestjs/common';
import type { z } from 'zod';
import { requestWatched } from './workspace-request.js';

/** Requests of an account to the daemon in one of its agents' sandboxes. */
@Injectable()
export class Workspaces {
  constructor(private readonly bus: Bus) {}

  /**
   * Sends a request to the daemon of the account's agent, waking it if it sleeps. The daemon knows no accounts: whose
   * agent it is is checked here, before anything is sent. Errors: those of the contract, NOT_FOUND, AGENT_UNAVAILABLE.
   */
  async request<I extends z.ZodType, O extends z.ZodType>(
    accountId: string,
    contract: RequestContract<I, O>,
    input: z.output<I> & { agentId: string },
  ): Promise<z.output<O>> {
    await this.admit(accountId, input.agentId);
    return requestWatched(this.bus, contract, input, { ping: () => this.ping(input.agentId) });
  }

  /**
   * Goes on with what `request` began, perhaps in another context: no check, no waking.
   * Errors: those of the contract, AGENT_UNAVAILABLE.
   */
  async continue<I extends z.ZodType, O extends z.ZodType>(
    contract: RequestContract<I, O>,
    input: z.output<I> & { agentId: string },
    context: CallContext,
  ): Promise<z.output<O>> {
    return requestWatched(this.bus, contract, input, {
      wakes: false,
      contextOf: () => context,
      ping: () => this.ping(input.agentId),
    });
  }

  private ping(agentId: string) {
    return this.bus.request(pingWorkspace, { agentId }, ownCall('req_workspace_look'));
  }

  private async admit(accountId: string, agentId: string): Promise<void> {
    const state = await this.bus.request(getAgentState, { agentId }, asService(currentCall()));
    if (state.accountId !== accountId) throw new RoostError('NOT_FOUND', 'there is no such agent');
    if (state.status === 'stopped')
      throw new RoostError(
        'AGENT_UNAVAILABLE',
        `the agent is stopped: ${callThatStarts(agentId)}, or with {"status":"paused"} to reach its files alone`,
        [{ reason: 'stopped' }],
        30,
      );
  }
}

/** The state of any agent is returned to services only, not to accounts. */
function asService(call: CallContext | undefined): CallContext {
  return call ? { ...call, accountId: null } : ownCall('req_filesystem');
}
