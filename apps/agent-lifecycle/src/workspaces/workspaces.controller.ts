import { Handles } from '#lib/bus';
import type { CallContext } from '#lib/call-context';
import { BudgetState, checkAgentReady, ensureWorkspace, getNetworkLog } from '#lib/contracts';
import { Database } from '#lib/database';
import { Controller, Inject } from '@nestjs/common';
import type { z } from 'zod';
import { type AgentRow, isExhausted } from '../agents/agent-row.js';
import { findAgent, findAgentWithProviderKeys } from '../agents/agents.repository.js';
import type { WorkspaceDriver } from '../sandboxes/index.js';
import { DRIVER } from './make-driver.js';
import { WorkspacesService } from './workspaces.service.js';

@Controller()
export class WorkspacesController {
  constructor(
    private readonly database: Database,
    private readonly workspaces: WorkspacesService,
    @Inject(DRIVER) private readonly driver: WorkspaceDriver,
  ) {}

  @Handles(ensureWorkspace)
  async ensure({ agentId }: { agentId: string }, { accountId }: CallContext) {
    await this.workspaces.ensure({ agentId, accountId });
    return { workspace: 'running' as const };
  }

  @Handles(checkAgentReady)
  async ready({ agentId }: { agentId: string }, { accountId }: CallContext) {
    const agent = await findAgentWithProviderKeys(this.database, { agentId, accountId });
    const reason = whyNotReady(agent, BudgetState.parse(agent.budget));
    const workspace = await this.workspaces.stateOf(agent);
    return { ready: reason === undefined, status: agent.status, workspace, ...(reason ? { reason } : {}) };
  }

  @Handles(getNetworkLog)
  async networkLog({ agentId, limit }: z.output<typeof getNetworkLog.input>, { accountId }: CallContext) {
    await findAgent(this.database, { agentId, accountId });
    return { entries: await this.driver.networkLog(agentId, limit) };
  }
}

function whyNotReady(agent: AgentRow, budget: BudgetState): string | undefined {
  if (agent.status === 'error') return agent.status_reason ?? 'the agent is in error';
  if (agent.status !== 'active') return `the agent is ${agent.status}`;
  if (isExhausted(agent)) return 'the agent has no output tokens left';
  return budget.isExhausted ? 'a budget of the agent or the account is used up (GET /v1/budgets)' : undefined;
}
