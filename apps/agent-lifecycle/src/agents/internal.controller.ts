import { Sealer } from '#lib/auth';
import { CONFIG, Handles } from '#lib/bus';
import type { CallContext } from '#lib/call-context';
import {
  BudgetState,
  existingAgents,
  getAgentForTurn,
  getAgentState,
  getAgentWebhooks,
  listAgentBots,
  RoostError,
} from '#lib/contracts';
import { Database } from '#lib/database';
import { Controller, Inject } from '@nestjs/common';
import type { z } from 'zod';
import type { LifecycleConfig } from '../config.js';
import { ProviderKeysService } from '../provider-keys/provider-keys.service.js';
import { settingsForTurn } from '../versions/settings-for-turn.js';
import { botsAfter } from './agent-changes.js';
import { stateOf } from './agent-row.js';
import { openSecrets } from './agent-secrets.js';
import { findAgent, findAgentWithProviderKeys, findExisting, findWithBots } from './agents.repository.js';
import { allowedConfiguration } from './maxima.js';

const MAX_BOTS = 500;

/** Requests of other services, most of them on their own behalf; no user's request leads here directly. */
@Controller()
export class InternalAgentsController {
  constructor(
    private readonly database: Database,
    private readonly providerKeys: ProviderKeysService,
    private readonly sealer: Sealer,
    @Inject(CONFIG) private readonly config: LifecycleConfig,
  ) {}

  @Handles(getAgentState)
  async state({ agentId }: { agentId: string }, { accountId }: CallContext) {
    return stateOf(await findAgent(this.database, { agentId, accountId }));
  }

  @Handles(existingAgents)
  async existing({ agentIds }: { agentIds: string[] }, { accountId }: CallContext) {
    if (accountId) throw new RoostError('ACCESS_DENIED', 'this is for services alone');
    return { agentIds: await findExisting(this.database, agentIds) };
  }

  @Handles(getAgentForTurn)
  async forTurn({ agentId, version }: z.output<typeof getAgentForTurn.input>, { accountId }: CallContext) {
    const agent = await findAgentWithProviderKeys(this.database, { agentId, accountId });
    const secrets = openSecrets(this.sealer, agent);
    const settings = await settingsForTurn(this.database, { agent, secrets }, version);
    const accountKeys = await this.providerKeys.open(agent.account_id, agent.account_keys);
    return {
      agentId: agent.id,
      accountId: agent.account_id,
      name: settings.name,
      status: agent.status,
      version: version ?? agent.version,
      systemPrompt: settings.systemPrompt,
      systemPromptType: settings.systemPromptType,
      sessionMode: settings.sessionMode,
      outputTokenBalance: Number(agent.output_token_balance),
      configuration: allowedConfiguration(settings.configuration, this.config),
      // The agent's own key wins over the account's; the platform's own is added by agent-runtime.
      providerKeys: { ...accountKeys, ...secrets.providerKeys },
      budget: BudgetState.parse(agent.budget),
      providerKeyOwners: { ...ownedBy('account', accountKeys), ...ownedBy('agent', secrets.providerKeys) },
    };
  }

  @Handles(listAgentBots)
  async bots({ afterAgentId, limit }: z.output<typeof listAgentBots.input>, { accountId }: CallContext) {
    if (accountId) throw new RoostError('ACCESS_DENIED', 'bot tokens are for the channels service alone');
    if (limit > MAX_BOTS) throw new RoostError('VALIDATION_ERROR', `limit: must be at most ${MAX_BOTS}`);
    const rows = await findWithBots(this.database, afterAgentId ?? null, limit);
    return {
      bots: rows.map((row) => ({
        ...botsAfter(openSecrets(this.sealer, row), {}),
        agentId: row.id,
        accountId: row.account_id,
        name: row.name,
      })),
    };
  }

  @Handles(getAgentWebhooks)
  async webhooks({ agentId }: { agentId: string }, { accountId }: CallContext) {
    const agent = await findAgent(this.database, { agentId, accountId });
    return { accountId: agent.account_id, webhooks: agent.configuration.webhooks ?? {} };
  }
}

const ownedBy = <Owner extends 'agent' | 'account'>(owner: Owner, keys: object) =>
  Object.fromEntries(Object.keys(keys).map((provider) => [provider, owner]));
