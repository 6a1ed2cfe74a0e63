import { Bus, type CallContext, currentCall, ownCall } from '#lib/bus';
import { ensureWorkspace, getAgentState, type RequestContract, RoostError } from '#lib/contracts';
import { Injectable } from '@nestjs/common';
import type { z } from 'zod';

/** The way from an account to the daemon in one of its agents' sandboxes. */
@Injectable()
export class Workspaces {
  constructor(private readonly bus: Bus) {}

  /**
   * Asks the daemon of the account's agent, waking it if it sleeps. The daemon knows no accounts: whose agent it is
   * is checked here, before anything is sent. Errors: those of the contract, NOT_FOUND, AGENT_UNAVAILABLE.
   */
  async request<I extends z.ZodType, O extends z.ZodType>(
    accountId: string,
    contract: RequestContract<I, O>,
    input: z.output<I> & { agentId: string },
  ): Promise<z.output<O>> {
    await this.admit(accountId, input.agentId);
    try {
      return await this.bus.request(contract, input);
    } catch (error) {
      // Only "nobody is there" is tried again: a request that timed out may have been carried out.
      if (
        !(error instanceof RoostError) ||
        error.code !== 'SERVICE_UNAVAILABLE' ||
        !error.message.includes('is not running')
      )
        throw error;
      await this.bus.request(ensureWorkspace, { agentId: input.agentId });
      return this.bus.request(contract, input);
    }
  }

  /** Goes on with what `request` began, in another context: no check, no waking. */
  ask<I extends z.ZodType, O extends z.ZodType>(
    contract: RequestContract<I, O>,
    input: z.output<I>,
    context: CallContext,
  ): Promise<z.output<O>> {
    return this.bus.request(contract, input, context);
  }

  private async admit(accountId: string, agentId: string): Promise<void> {
    const state = await this.bus.request(getAgentState, { agentId }, asService(currentCall()));
    if (state.accountId !== accountId) throw new RoostError('NOT_FOUND', 'there is no such agent');
    if (state.status === 'stopped')
      throw new RoostError(
        'AGENT_UNAVAILABLE',
        'the agent is stopped: set its status to paused or active to reach its files',
        [],
        30,
      );
  }
}

/** The state of any agent is told to services only, not to accounts. */
function asService(call: CallContext | undefined): CallContext {
  return call ? { ...call, accountId: null } : ownCall('req_filesystem');
}
