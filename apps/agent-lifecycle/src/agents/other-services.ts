import { Bus } from '#lib/bus';
import { currentCall, ownCall } from '#lib/call-context';
import {
  type AgentState,
  checkModels,
  countMcpServers,
  countMessages,
  getVolumeUsage,
  listAgentMcpServers,
  type RequestContract,
  syncAgent,
  syncBudget,
} from '#lib/contracts';
import { Injectable } from '@nestjs/common';
import type { BudgetRow } from '../budgets/budget-row.js';
import type { z } from 'zod';

interface Counts {
  messages: number;
  /** Of the account's registry; the agent's own are in its row. */
  grantedServers: number;
}

type Output<C extends { output: z.ZodType }> = z.output<C['output']>;

/** For what is shown beside the rest a caller waits so long at most. */
const SHORT_MS = 1_000;
/** For what the caller's next request relies on, or that refuses what is wrong. */
const LONG_MS = 5_000;

/**
 * Requests to other services whose answer this one can do without: while the other is away, slow or refuses, there is
 * a fallback.
 */
@Injectable()
export class OtherServices {
  constructor(private readonly bus: Bus) {}

  /** What they count for agents, one request each, however many agents (at most 100). Fallback: 0. */
  async counts(agentIds: string[]): Promise<(agentId: string) => Counts> {
    if (agentIds.length === 0) return () => ({ messages: 0, grantedServers: 0 });
    const none = { counts: {} as Record<string, number> };
    const [messages, servers] = await Promise.all([
      this.ask(countMessages, { agentIds }, none),
      this.ask(countMcpServers, { agentIds }, none),
    ]);
    return (agentId) => ({
      messages: messages.counts[agentId] ?? 0,
      grantedServers: servers.counts[agentId] ?? 0,
    });
  }

  /** The account's MCP servers that the agent may use, and how its own are doing. Fallback: none. */
  mcpServers(agentId: string): Promise<Output<typeof listAgentMcpServers>> {
    return this.ask(listAgentMcpServers, { agentId }, { servers: [], own: [] });
  }

  /** Per model what is wrong with it, if so. Fallback: nothing is. */
  async modelProblems(input: z.output<typeof checkModels.input>): Promise<Output<typeof checkModels>['problems']> {
    return (await this.ask(checkModels, input, { problems: [] }, LONG_MS)).problems;
  }

  /** What the volume of an awake workspace holds. Fallback: undefined. */
  async volumeUsage(agentId: string): Promise<Output<typeof getVolumeUsage> | undefined> {
    const unknown = { files: -1, bytes: 0, lastModified: null, isComplete: false };
    const usage = await this.ask(getVolumeUsage, { agentId }, unknown);
    return usage.files < 0 ? undefined : usage;
  }

  /**
   * Sends messaging a committed change, so that the user's next request already sees it and a running turn of a
   * stopped agent ends. Best effort: the event follows with the same content.
   */
  async syncMessagingState(state: AgentState): Promise<void> {
    await this.request(syncAgent, state, 'req_lifecycle_sync', LONG_MS).catch(() => undefined);
  }

  /** Sends messaging a committed change of a budget. Best effort: its event follows with the same content. */
  async syncBudget(row: BudgetRow): Promise<void> {
    const block = {
      budgetId: row.id,
      accountId: row.account_id,
      agentId: row.agent_id,
      isExhausted: row.is_exhausted,
      until: row.period_ends_at,
      revision: Number(row.revision),
    };
    await this.request(syncBudget, block, 'req_lifecycle_budget', LONG_MS).catch(() => undefined);
  }

  private ask<I extends z.ZodType, O extends z.ZodType>(
    contract: RequestContract<I, O>,
    input: z.output<I>,
    fallback: z.output<O>,
    waitMs = SHORT_MS,
  ): Promise<z.output<O>> {
    return this.request(contract, input, 'req_lifecycle', waitMs).catch(() => fallback);
  }

  private request<I extends z.ZodType, O extends z.ZodType>(
    contract: RequestContract<I, O>,
    input: z.output<I>,
    ownId: string,
    waitMs: number,
  ): Promise<z.output<O>> {
    const call = currentCall() ?? ownCall(ownId);
    return this.bus.request(contract, input, { ...call, deadline: Math.min(call.deadline, Date.now() + waitMs) });
  }
}
