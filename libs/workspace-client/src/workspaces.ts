import { Bus } from '#lib/bus';
import { type CallContext, currentCall, ownCall } from '#lib/call-context';
import { reachedNobody } from '#lib/rpc';
import {
  callThatStarts,
  ensureWorkspace,
  getAgentState,
  pingWorkspace,
  type RequestContract,
  RoostError,
} from '#lib/contracts';
import { Injectable } from '@nestjs/common';
import type { z } from 'zod';
import { workspaceGone } from './workspace-gone.js';

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
      return await this.ask(contract, input);
    } catch (error) {
      // Only "nobody is there" is tried again: a request that timed out may have been done.
      if (!reachedNobody(error)) throw error;
      await this.bus.request(ensureWorkspace, { agentId: input.agentId });
      return this.ask(contract, input);
    }
  }

  /**
   * Goes on with what `request` began, perhaps in another context: no check, no waking. A workspace that ends under the
   * request fails it within seconds. Errors: those of the contract, AGENT_UNAVAILABLE.
   */
  async ask<I extends z.ZodType, O extends z.ZodType>(
    contract: RequestContract<I, O>,
    input: z.output<I> & { agentId: string },
    context?: CallContext,
  ): Promise<z.output<O>> {
    const sentAt = performance.now();
    const answer = this.bus.request(contract, input, context);
    const watch = new AbortController();
    const looks = {
      ping: () => this.bus.request(pingWorkspace, { agentId: input.agentId }, ownCall('req_workspace_look')),
      sentAt: () => sentAt,
    };
    try {
      return await Promise.race([answer, workspaceGone(looks, answer, watch.signal)]);
    } finally {
      watch.abort();
    }
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

/** The state of any agent is told to services only, not to accounts. */
function asService(call: CallContext | undefined): CallContext {
  return call ? { ...call, accountId: null } : ownCall('req_filesystem');
}
