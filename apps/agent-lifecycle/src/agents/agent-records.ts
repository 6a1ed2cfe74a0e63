import { recordAudit } from '#lib/audit';
import { Sealer } from '#lib/auth';
import { CONFIG } from '#lib/bus';
import {
  agentCreated,
  agentDeleted,
  agentUpdated,
  type CreateAgent,
  type Permissions,
  quantityBytes,
  type UpdateAgent,
} from '#lib/contracts';
import { Database, newId, type Transaction } from '#lib/database';
import { requireQuota } from '#lib/quotas';
import { Inject, Injectable } from '@nestjs/common';
import { BalanceService } from '../balance/balance.service.js';
import type { LifecycleConfig } from '../config.js';
import {
  auditedFields,
  botsAfter,
  changedFields,
  given,
  mergeConfiguration,
  providerKeysAfter,
} from './agent-changes.js';
import { decodeFiles, lastOfEach } from './agent-files.js';
import { type AgentKey, type AgentRow, stateOf } from './agent-row.js';
import { openSecrets, secretColumns, splitConfiguration, wholeConfiguration } from './agent-secrets.js';
import {
  addPendingFiles,
  countAgents,
  deleteAgentRow,
  insertAgent,
  lockAgent,
  lockOldest,
  requireFreeName,
  storedBytes,
  updateAgentRow,
} from './agents.repository.js';
import { sumUpAgent } from '../usage/usage.repository.js';
import { requireVersion, VersionRecords } from '../versions/version-records.js';
import { checkMaxima, checkVolumeSize } from './maxima.js';

/** The account's quotas that an agent counts in. */
export interface AgentLimits {
  agents: number;
  storedBytes: number;
}

/** A change that may be meant for one version alone. */
export type VersionedUpdate = UpdateAgent & { ifVersion?: number | undefined };

/** A change whose fields of the configuration are whole: none is merged with what there was. */
export type WholeUpdate = VersionedUpdate & { replacesFields?: boolean | undefined };

/** An agent that is made only where no other of the account has its name. */
export type NewAgent = CreateAgent & { isOnlyOfName?: boolean | undefined };

/** The changes of an agent's rows: each is one transaction, with its event. */
@Injectable()
export class AgentRecords {
  constructor(
    private readonly database: Database,
    private readonly balance: BalanceService,
    private readonly versions: VersionRecords,
    private readonly sealer: Sealer,
    @Inject(CONFIG) private readonly config: LifecycleConfig,
  ) {}

  /**
   * Makes an agent: rows only. Its workspace is made when it is first needed; initial files wait in the database until
   * then. Errors: VALIDATION_ERROR, QUOTA_EXCEEDED, CONFLICT (its name is taken, and it must be the only one of it).
   */
  create(accountId: string, input: NewAgent, limits: AgentLimits): Promise<AgentRow> {
    return this.database.transaction((tx) => this.insert(tx, accountId, input, limits));
  }

  /**
   * Changes the fields that are given; `files` are the workspace's matter and not looked at here.
   * Errors: NOT_FOUND, VALIDATION_ERROR (a smaller volume, more than a maximum), QUOTA_EXCEEDED, CONFLICT (not the version
   * that the change is for).
   */
  update(key: AgentKey, input: WholeUpdate, limits: AgentLimits): Promise<AgentRow> {
    return this.database.transaction((tx) => this.change(tx, key, input, limits));
  }

  /**
   * Changes the permissions of an agent in a transaction of the caller's; nothing where `change` gives none. Errors:
   * NOT_FOUND.
   */
  async changePermissions(
    tx: Transaction,
    key: AgentKey,
    note: string,
    change: (before: Permissions | undefined) => Permissions | undefined,
  ): Promise<void> {
    const agent = await lockAgent(tx, key);
    const { permissions: before } = wholeConfiguration(agent.configuration, openSecrets(this.sealer, agent));
    const permissions = change(before);
    if (permissions) await this.change(tx, key, { configuration: { permissions }, note }, NO_GROWTH);
  }

  /**
   * Deletes the agent's row with keys, ledger and waiting files. The record of the deletion lets the volume be removed,
   * now or after a crash; the other services follow by the event. Errors: NOT_FOUND.
   */
  delete(key: AgentKey): Promise<AgentRow> {
    return this.database.transaction((tx) => this.remove(tx, key));
  }

  /** Deletes some of an account's agents in a transaction of the caller's. */
  async deleteOldest(tx: Transaction, accountId: string, limit: number): Promise<AgentRow[]> {
    const deleted: AgentRow[] = [];
    for (const agentId of await lockOldest(tx, accountId, limit))
      deleted.push(await this.remove(tx, { agentId, accountId }));
    return deleted;
  }

  private async insert(tx: Transaction, accountId: string, input: NewAgent, limits: AgentLimits): Promise<AgentRow> {
    checkVolumeSize(input.pvcSize, this.config);
    checkMaxima(input, this.config);
    const files = lastOfEach(decodeFiles('initial_files', input.initialFiles));
    await this.requireQuotas(tx, accountId, limits, input.pvcSize);
    // After the quota, under whose lock the account's agents are made one after the other.
    if (input.isOnlyOfName) await requireFreeName(tx, accountId, input.name);
    const { open, sealed } = splitConfiguration(input.configuration);
    const id = newId();
    const agent = await insertAgent(tx, {
      id,
      account_id: accountId,
      name: input.name,
      description: input.description,
      pvc_size: input.pvcSize,
      session_mode: input.sessionMode,
      warmth_window_ms: input.warmthWindowMs,
      output_token_balance: input.outputTokenBalance,
      system_prompt: input.systemPrompt,
      system_prompt_type: input.systemPromptType,
      configuration: JSON.stringify(open),
      ...secretColumns(this.sealer, id, {
        ...sealed,
        providerKeys: providerKeysAfter({}, input),
        ...botsAfter({}, input),
      }),
    });
    await this.balance.open(tx, agent);
    await this.versions.first(tx, agent);
    await addPendingFiles(tx, id, files);
    await tx.outbox(agentCreated, stateOf(agent), id);
    await recordAudit(tx, { action: 'agent.created', target: { type: 'agent', id }, fields: auditedFields(input) });
    return agent;
  }

  private async change(
    tx: Transaction,
    key: AgentKey,
    { ifVersion, note, replacesFields, ...input }: WholeUpdate,
    limits: AgentLimits,
  ): Promise<AgentRow> {
    const before = await lockAgent(tx, key);
    requireVersion(before, ifVersion);
    if (input.pvcSize !== undefined) checkVolumeSize(input.pvcSize, this.config, before.pvc_size);
    checkMaxima(input, this.config);
    const growth = input.pvcSize === undefined ? 0 : bytesOf(input.pvcSize) - bytesOf(before.pvc_size);
    if (growth > 0) await this.requireBytes(tx, before.account_id, limits, growth);
    const changed = changedFields(input);
    if (changed.length === 0) return before;

    const written = await updateAgentRow(tx, before, this.columnsAfter(before, input, replacesFields));
    const updated = await this.versions.next(tx, before, written, note ?? null);
    const { outputTokenBalance: after } = input;
    const agent =
      after === undefined
        ? updated
        : await this.balance.write(tx, updated, { after, reason: 'set', actor: key.accountId ?? 'system' });
    await tx.outbox(
      agentUpdated,
      { agentId: agent.id, accountId: agent.account_id, revision: Number(agent.revision), changed },
      agent.id,
    );
    await recordAudit(tx, { action: 'agent.updated', target: agentTarget(agent), fields: auditedFields(input) });
    return agent;
  }

  private async remove(tx: Transaction, key: AgentKey): Promise<AgentRow> {
    const agent = await lockAgent(tx, key);
    // Its ledger goes with it; what it used stays in the sums.
    await sumUpAgent(tx, agent.id);
    await deleteAgentRow(tx, agent);
    // One more than the state that messaging is sent ahead of the event.
    const revision = Number(agent.revision) + 2;
    await tx.outbox(agentDeleted, { agentId: agent.id, accountId: agent.account_id, revision }, agent.id);
    await recordAudit(tx, { action: 'agent.deleted', target: agentTarget(agent), accountId: agent.account_id });
    return agent;
  }

  private columnsAfter(before: AgentRow, input: UpdateAgent, areWhole: boolean | undefined) {
    const secrets = openSecrets(this.sealer, before);
    const configuration = mergeConfiguration(
      wholeConfiguration(before.configuration, secrets),
      input.configuration ?? {},
      areWhole,
    );
    const { open, sealed } = splitConfiguration(configuration);
    return {
      name: given(input.name, before.name),
      description: given(input.description, before.description),
      pvc_size: given(input.pvcSize, before.pvc_size),
      system_prompt: given(input.systemPrompt, before.system_prompt),
      system_prompt_type: given(input.systemPromptType, before.system_prompt_type),
      session_mode: given(input.sessionMode, before.session_mode),
      warmth_window_ms: given(input.warmthWindowMs, before.warmth_window_ms),
      configuration: JSON.stringify(open),
      ...secretColumns(this.sealer, before.id, {
        ...sealed,
        providerKeys: providerKeysAfter(secrets.providerKeys, input),
        ...botsAfter(secrets, input),
      }),
    };
  }

  /** Errors: QUOTA_EXCEEDED when the account may not have one agent more with a volume of this size. */
  private async requireQuotas(tx: Transaction, accountId: string, limits: AgentLimits, pvcSize: string): Promise<void> {
    const count = () => countAgents(tx, accountId);
    await requireQuota(tx, { accountId, quota: 'agents', limit: limits.agents, count });
    await this.requireBytes(tx, accountId, limits, bytesOf(pvcSize));
  }

  /** Errors: QUOTA_EXCEEDED when the volumes of all the account's agents may hold no more `bytes`. */
  private async requireBytes(tx: Transaction, accountId: string, limits: AgentLimits, bytes: number): Promise<void> {
    const count = () => storedBytes(tx, accountId);
    await requireQuota(tx, { accountId, quota: 'stored_bytes', limit: limits.storedBytes, count, more: bytes });
  }
}

/** Of a change that adds nothing that counts. */
const NO_GROWTH: AgentLimits = { agents: 0, storedBytes: 0 };

const agentTarget = ({ id }: AgentRow) => ({ type: 'agent', id });

const bytesOf = (quantity: string) => quantityBytes(quantity) ?? 0;
