import { recordAudit } from '#lib/audit';
import { Sealer } from '#lib/auth';
import { CONFIG } from '#lib/bus';
import {
  agentUpdated,
  type diffVersions,
  type draftVersion,
  type listVersions,
  RoostError,
  type rollBack,
} from '#lib/contracts';
import { Database, type Transaction } from '#lib/database';
import { Inject, Injectable } from '@nestjs/common';
import type { z } from 'zod';
import { mergeConfiguration } from '../agents/agent-changes.js';
import { AgentChecks } from '../agents/agent-checks.js';
import type { AgentKey, AgentRow } from '../agents/agent-row.js';
import { openSecrets, secretColumns, splitConfiguration } from '../agents/agent-secrets.js';
import { lockAgent, updateAgentRow } from '../agents/agents.repository.js';
import { AgentsService } from '../agents/agents.service.js';
import { checkMaxima } from '../agents/maxima.js';
import type { LifecycleConfig } from '../config.js';
import { configuredOf } from './configured.js';
import { diff } from './diff.js';
import { restore, type Restored } from './restore.js';
import { requireVersion, VersionRecords } from './version-records.js';
import { secretValues, shownSettings } from './settings.js';
import { findVersion, findVersions, versionBefore, type WholeVersionRow } from './versions.repository.js';

type InputOf<C extends { input: z.ZodType }> = Omit<z.output<C['input']>, 'agentId'>;

/** Reads the versions of agents' configurations, and rolls back to them. */
@Injectable()
export class VersionsService {
  constructor(
    private readonly database: Database,
    private readonly records: VersionRecords,
    private readonly checks: AgentChecks,
    private readonly agents: AgentsService,
    private readonly sealer: Sealer,
    @Inject(CONFIG) private readonly config: LifecycleConfig,
  ) {}

  /** Errors: NOT_FOUND. */
  list(key: AgentKey, { before, limit }: InputOf<typeof listVersions>) {
    return this.database.transaction(async (tx) => {
      const current = await this.records.current(tx, await lockAgent(tx, key));
      const rows = await findVersions(tx, key.agentId, { before, limit: limit + 1 });
      return { current: current.version, rows: rows.slice(0, limit), hasMore: rows.length > limit };
    });
  }

  /** Errors: NOT_FOUND. */
  get(key: AgentKey, version: number) {
    return this.database.transaction(async (tx) => {
      const current = await this.records.current(tx, await lockAgent(tx, key));
      return { current: current.version, row: await loadVersion(tx, key.agentId, version) };
    });
  }

  /** Errors: NOT_FOUND. */
  diff(key: AgentKey, named: InputOf<typeof diffVersions>) {
    return this.database.transaction(async (tx) => {
      const current = await this.records.current(tx, await lockAgent(tx, key));
      const to = named.to ?? current.version;
      const from = named.from ?? (await versionBefore(tx, key.agentId, to)) ?? to;
      const changes = diff(await loadVersion(tx, key.agentId, from), await loadVersion(tx, key.agentId, to));
      return { from, to, changes };
    });
  }

  /**
   * Makes a version without giving it to the agent, to be tried by messages that ask for it. Secrets have the values that
   * the agent has: no version holds any. Errors: NOT_FOUND, VALIDATION_ERROR.
   */
  async draft(key: AgentKey, { note, ...change }: InputOf<typeof draftVersion>) {
    await this.checks.checkUpdate(key, change);
    return this.database.transaction(async (tx) => {
      const agent = await lockAgent(tx, key);
      checkMaxima(change, this.config);
      const secrets = openSecrets(this.sealer, agent);
      const before = configuredOf(agent, secrets);
      const configuration = mergeConfiguration(before.configuration, change.configuration ?? {});
      const { customEnv, mcpServers } = configuration;
      const values = secretValues({ ...secrets, customEnv, mcpServers });
      requireKnownSecrets(secretValues(secrets), values);
      const settings = shownSettings({ ...before, ...definedIn(change), configuration });
      const drafted = { settings, secretNames: new Set(values.keys()), note: note ?? null };
      const version = await this.records.draft(tx, agent, drafted);
      const row = await loadVersion(tx, agent.id, version);
      await recordAudit(tx, { action: 'agent.drafted', target: { type: 'agent', id: agent.id }, fields: row.changed });
      return row;
    });
  }

  /**
   * Gives the agent the settings of an earlier version, as a new one. What they name is checked as if it were set anew.
   * Errors: NOT_FOUND, VALIDATION_ERROR, CONFLICT.
   */
  async rollBack(key: AgentKey, { version, note, ifVersion }: InputOf<typeof rollBack>) {
    const wanted = await this.database.transaction(async (tx) => this.restored(tx, await lockAgent(tx, key), version));
    await this.checks.checkUpdate(key, wanted.settings);
    const { agent, changed, notRestored } = await this.database.transaction(async (tx) => {
      const before = await lockAgent(tx, key);
      requireVersion(before, ifVersion);
      const restored = await this.restored(tx, before, version);
      const { is_draft: isDraft } = await loadVersion(tx, before.id, version);
      const said = note ?? (isDraft ? `publish draft ${version}` : `roll back to version ${version}`);
      const after = await updateAgentRow(tx, before, this.columnsOf(before, restored));
      return this.recorded(tx, { before, after, note: said }, restored);
    });
    await this.agents.applyChange(agent, changed);
    return { agent, notRestored };
  }

  private async restored(tx: Transaction, agent: AgentRow, version: number): Promise<Restored> {
    const current = await this.records.current(tx, agent);
    const target = await loadVersion(tx, agent.id, version);
    const secrets = openSecrets(this.sealer, agent);
    const restored = restore(target, { agent, secrets, versions: current.secrets });
    checkMaxima(restored.settings, this.config);
    return restored;
  }

  private columnsOf(before: AgentRow, { settings }: Restored) {
    const { open, sealed } = splitConfiguration(settings.configuration);
    return {
      name: settings.name,
      description: settings.description,
      system_prompt: settings.systemPrompt,
      system_prompt_type: settings.systemPromptType,
      session_mode: settings.sessionMode,
      warmth_window_ms: settings.warmthWindowMs,
      configuration: JSON.stringify(open),
      ...secretColumns(this.sealer, before.id, { ...openSecrets(this.sealer, before), ...sealed }),
    };
  }

  /** With version, event and audit record. */
  private async recorded(
    tx: Transaction,
    { before, after, note }: { before: AgentRow; after: AgentRow; note: string },
    { notRestored }: Restored,
  ) {
    const agent = await this.records.next(tx, before, after, note);
    const changed = agent.version === before.version ? [] : (await loadVersion(tx, agent.id, agent.version)).changed;
    const { id: agentId, account_id: accountId } = agent;
    await tx.outbox(agentUpdated, { agentId, accountId, revision: Number(agent.revision), changed }, agentId);
    await recordAudit(tx, { action: 'agent.rolled_back', target: { type: 'agent', id: agentId }, fields: changed });
    return { agent, changed, notRestored };
  }
}

/** Errors: NOT_FOUND. */
async function loadVersion(tx: Transaction, agentId: string, version: number): Promise<WholeVersionRow> {
  const row = await findVersion(tx, agentId, version);
  if (!row) throw new RoostError('NOT_FOUND', `the agent has no version ${version}, or it is no longer kept`);
  return row;
}

/** Errors: VALIDATION_ERROR naming the fields whose values are new. */
function requireKnownSecrets(before: Map<string, string>, after: Map<string, string>): void {
  const message = 'a draft holds no values of secrets: set it on the agent first, then give it as ***';
  const details = [...after]
    .filter(([field, value]) => before.get(field) !== value)
    .map(([field]) => ({ field, reason: 'new_secret', message }));
  const [first] = details;
  if (first) throw new RoostError('VALIDATION_ERROR', `${first.field}: ${message}`, details);
}

const definedIn = <T extends object>(given: T) =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
