import { Sealer } from '#lib/auth';
import { accountOf, Bus, type CallContext, CONFIG, Handles } from '#lib/bus';
import {
  createAgent as createContract,
  deleteAgent as deleteContract,
  getAgent,
  listAgents as listContract,
  summarizeAgent,
  updateAgent as updateContract,
} from '#lib/contracts';
import { Database } from '#lib/database';
import { AccountLimits } from '#lib/quotas';
import { Controller, Inject } from '@nestjs/common';
import type { z } from 'zod';
import type { LifecycleConfig } from '../config.js';
import { applyFiles, planFiles } from '../workspaces/apply-files.js';
import { refreshVolumeUsage } from '../workspaces/volume-usage.js';
import { WorkspacesService } from '../workspaces/workspaces.service.js';
import { syncMessagingState } from '../states/sync-messaging-state.js';
import { agentLimitsOf } from './agent-quotas.js';
import { type AgentKey, findAgent, stateOf } from './agent-row.js';
import { openSecrets } from './agent-secrets.js';
import { checkAddresses } from './check-addresses.js';
import { checkModelNames } from './check-models.js';
import { countFor } from './count-for.js';
import { createAgent } from './create-agent.js';
import { deleteAgent } from './delete-agent.js';
import { listAgents } from './list-agents.js';
import { checkMaxima } from './maxima.js';
import { showAgent } from './show-agent.js';
import { changedFields, updateAgent } from './update-agent.js';

/** What of a change a running sandbox does not know yet. */
const SANDBOX_FIELDS = ['pvc_size', 'configuration.custom_env', 'configuration.resources', 'configuration.network'];

@Controller()
export class AgentsController {
  constructor(
    private readonly database: Database,
    private readonly bus: Bus,
    private readonly sealer: Sealer,
    private readonly workspaces: WorkspacesService,
    private readonly limits: AccountLimits,
    @Inject(CONFIG) private readonly config: LifecycleConfig,
  ) {}

  @Handles(createContract)
  async create(input: z.output<typeof createContract.input>, context: CallContext) {
    const accountId = accountOf(context);
    checkMaxima(input, this.config);
    await checkAddresses(input.configuration, this.config);
    await checkModelNames(this.bus, input);
    const limits = await agentLimitsOf(this.limits, accountId);
    const agent = await this.database.transaction((tx) =>
      createAgent(tx, this.sealer, this.config, limits, accountId, input),
    );
    await syncMessagingState(this.bus, stateOf(agent));
    if (input.initialFiles.length > 0) this.workspaces.ensureSoon(agent.id);
    return showAgent(this.bus, this.sealer, agent);
  }

  @Handles(getAgent)
  async get({ agentId }: { agentId: string }, context: CallContext) {
    const agent = await findAgent(this.database, { agentId, accountId: accountOf(context) });
    const isAwake = (await this.workspaces.stateOf(agent)) === 'running';
    const current = isAwake ? await refreshVolumeUsage(this.database, this.bus, agent) : agent;
    return showAgent(this.bus, this.sealer, current);
  }

  @Handles(listContract)
  list(input: z.output<typeof listContract.input>, context: CallContext) {
    return listAgents(this.database, this.bus, accountOf(context), input);
  }

  @Handles(summarizeAgent)
  async summary({ agentId }: { agentId: string }, context: CallContext) {
    const agent = await findAgent(this.database, { agentId, accountId: accountOf(context) });
    const counts = (await countFor(this.bus, [agentId]))(agentId);
    return {
      uuid: agent.id,
      id: agent.id,
      name: agent.name,
      status: agent.status,
      outputTokenBalance: Number(agent.output_token_balance),
      totalOutputTokensUsed: Number(agent.total_output_tokens_used),
      messageCount: counts.messages,
      mcpServerCount: agent.mcp_server_count + counts.grantedServers,
      createdAt: agent.created_at,
      updatedAt: agent.updated_at,
    };
  }

  @Handles(updateContract)
  async update({ agentId, ...input }: z.output<typeof updateContract.input>, context: CallContext) {
    const key: AgentKey = { agentId, accountId: accountOf(context) };
    const limits = await agentLimitsOf(this.limits, accountOf(context));
    const operations = planFiles(input.files ?? []);
    const before = await findAgent(this.database, key);
    checkMaxima(input, this.config);
    await checkAddresses(input.configuration, this.config);
    await checkModelNames(this.bus, input, openSecrets(this.sealer, before).providerKeys);
    if (operations.length > 0) await this.workspaces.ensure(key);
    const undo = await applyFiles(this.bus, agentId, operations);
    const agent = await this.database
      .transaction((tx) => updateAgent(tx, this.sealer, this.config, limits, key, input))
      .catch(async (error: unknown) => {
        await undo();
        throw error;
      });
    await syncMessagingState(this.bus, stateOf(agent));
    if (changedFields(input).some((field) => SANDBOX_FIELDS.includes(field))) await this.workspaces.apply(agent);
    return showAgent(this.bus, this.sealer, agent);
  }

  @Handles(deleteContract)
  async delete({ agentId }: { agentId: string }, context: CallContext) {
    const key: AgentKey = { agentId, accountId: accountOf(context) };
    const agent = await this.database.transaction((tx) => deleteAgent(tx, key));
    // Until the event reaches it, messaging refuses new messages as for a stopped agent and cancels the running turn.
    const state = stateOf(agent);
    await syncMessagingState(this.bus, { ...state, status: 'stopped', revision: state.revision + 1 });
    this.workspaces.removeSoon(agentId);
    return { message: 'the agent is deleted', id: agentId };
  }
}
