import { Sealer } from '#lib/auth';
import { CONFIG } from '#lib/bus';
import {
  type AgentConfiguration,
  type ConfigurationPatch,
  type CreateAgent,
  quantityBytes,
  RoostError,
  snakeCase,
  type UpdateAgent,
} from '#lib/contracts';
import { checkRegisteredUrl, policyOf } from '#lib/net-guard';
import { AccountLimits, requireQuota } from '#lib/quotas';
import { Database } from '#lib/database';
import { Inject, Injectable } from '@nestjs/common';
import type { LifecycleConfig } from '../config.js';
import { requireValidPermissions } from '../permissions/require-valid.js';
import { providerKeysAfter } from './agent-changes.js';
import type { AgentLimits } from './agent-records.js';
import type { AgentKey, AgentRow } from './agent-row.js';
import { type AgentSecrets, openSecrets } from './agent-secrets.js';
import { countAgents, findAgent, storedBytes } from './agents.repository.js';
import { checkMaxima, checkVolumeSize } from './maxima.js';
import { OtherServices } from './other-services.js';

type Networks = Pick<LifecycleConfig, 'ROOST_WEBHOOK_NETWORK' | 'ROOST_MCP_NETWORK'>;

/** An agent that is to be made or changed. */
interface Asked {
  creation?: Pick<CreateAgent, 'pvcSize'> | undefined;
  update?: Pick<UpdateAgent, 'pvcSize'> | undefined;
  present?: Pick<AgentRow, 'pvc_size'> | undefined;
}

/** What is checked of a request before anything is written, and outside of the transaction that writes it. */
@Injectable()
export class AgentChecks {
  constructor(
    @Inject(CONFIG) private readonly config: LifecycleConfig,
    private readonly others: OtherServices,
    private readonly limits: AccountLimits,
    private readonly database: Database,
    private readonly sealer: Sealer,
  ) {}

  /** Errors: VALIDATION_ERROR naming the field. */
  async checkNew(input: CreateAgent): Promise<void> {
    checkVolumeSize(input.pvcSize, this.config);
    return this.check(input, {});
  }

  /** Errors: NOT_FOUND, VALIDATION_ERROR naming the field. */
  async checkUpdate(key: AgentKey, input: UpdateAgent): Promise<void> {
    const before = await findAgent(this.database, key);
    if (input.pvcSize !== undefined) checkVolumeSize(input.pvcSize, this.config, before.pvc_size);
    await this.check(input, openSecrets(this.sealer, before).providerKeys);
  }

  private async check(input: CreateAgent | UpdateAgent, keysBefore: AgentSecrets['providerKeys']): Promise<void> {
    checkMaxima(input, this.config);
    requireValidPermissions(input.configuration?.permissions, 'configuration.permissions');
    await checkAddresses(input.configuration, this.config);
    await this.checkModelNames(input, keysBefore);
  }

  /** Whether all of this fits into the account's quotas together. Errors: QUOTA_EXCEEDED. */
  async checkQuotas(accountId: string, asked: Asked[]): Promise<void> {
    const agents = asked.filter(({ creation }) => creation).length;
    const bytes = asked.reduce((sum, one) => sum + growthOf(one), 0);
    if (agents === 0 && bytes === 0) return;
    const limits = await this.limitsOf(accountId);
    await this.database.transaction(async (tx) => {
      const quotas = [
        { quota: 'agents', limit: limits.agents, count: () => countAgents(tx, accountId), more: agents },
        { quota: 'stored_bytes', limit: limits.storedBytes, count: () => storedBytes(tx, accountId), more: bytes },
      ] as const;
      for (const quota of quotas) if (quota.more > 0) await requireQuota(tx, { accountId, ...quota });
    });
  }

  async limitsOf(accountId: string): Promise<AgentLimits> {
    const { agents, stored_bytes: storedBytes } = await this.limits.all(accountId);
    return { agents, storedBytes };
  }

  /**
   * Refuses models that their provider does not have, where its list is known within a second: whoever sets one should
   * not learn of it from a failed turn.
   */
  private async checkModelNames(
    input: Pick<CreateAgent | UpdateAgent, 'configuration' | 'anthropicApiKey' | 'providerKeys'>,
    keysBefore: AgentSecrets['providerKeys'],
  ): Promise<void> {
    const { model, compaction } = input.configuration ?? {};
    const named = [
      { field: 'configuration.model', model },
      { field: 'configuration.compaction.model', model: compaction?.model },
    ].flatMap(({ field, model: name }) => (name ? [{ field, name }] : []));
    if (named.length === 0) return;
    const models = named.map(({ name }) => name);
    const providerKeys = providerKeysAfter(keysBefore, input);
    const problems = await this.others.modelProblems({ models, providerKeys });
    for (const [index, problem] of problems.entries()) {
      const field = named[index]?.field;
      if (problem && field)
        throw new RoostError('VALIDATION_ERROR', `${field}: ${problem}`, [{ field, reason: 'unknown_model' }]);
    }
  }
}

/**
 * Checks the addresses that a configuration gives, as those of account webhooks and MCP servers are. How many there are
 * is bounded by the operator's maxima, to be checked before. Errors: VALIDATION_ERROR naming the field.
 */
async function checkAddresses(
  configuration: AgentConfiguration | ConfigurationPatch | null | undefined,
  networks: Networks,
): Promise<void> {
  const webhooks = Object.entries(configuration?.webhooks ?? {}).flatMap(([name, url]) =>
    url
      ? [checkRegisteredUrl(url, policyOf(networks.ROOST_WEBHOOK_NETWORK), `configuration.webhooks.${snakeCase(name)}`)]
      : [],
  );
  const servers = Object.entries(configuration?.mcpServers ?? {}).flatMap(([name, server]) =>
    'url' in server
      ? [checkRegisteredUrl(server.url, policyOf(networks.ROOST_MCP_NETWORK), `configuration.mcp_servers.${name}.url`)]
      : [],
  );
  await Promise.all([...webhooks, ...servers]);
}

/** By how many bytes the account's volumes grow. */
function growthOf({ creation, update, present }: Asked): number {
  const bytes = (size: string | undefined) => (size === undefined ? 0 : (quantityBytes(size) ?? 0));
  if (creation) return bytes(creation.pvcSize);
  return update?.pvcSize === undefined ? 0 : bytes(update.pvcSize) - bytes(present?.pvc_size);
}
