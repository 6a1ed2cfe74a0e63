import type { Transaction } from '#lib/database';
import { Injectable } from '@nestjs/common';
import { WorkspaceUpdates } from '../workspaces/workspace-updates.js';
import { WorkspacesService } from '../workspaces/workspaces.service.js';
import { changedFields } from './agent-changes.js';
import { AgentChecks } from './agent-checks.js';
import { planFiles } from './agent-files.js';
import { AgentRecords, type NewAgent, type WholeUpdate } from './agent-records.js';
import { type AgentKey, type AgentRow, stateOf } from './agent-row.js';
import { OtherServices } from './other-services.js';

/** What of a change a running sandbox does not know yet. */
const SANDBOX_FIELDS = ['pvc_size', 'configuration.custom_env', 'configuration.resources', 'configuration.network'];

/** Makes, changes and deletes agents: the rows, then what follows from them in messaging and in the workspace. */
@Injectable()
export class AgentsService {
  constructor(
    private readonly checks: AgentChecks,
    private readonly records: AgentRecords,
    private readonly others: OtherServices,
    private readonly workspaces: WorkspacesService,
    private readonly updates: WorkspaceUpdates,
  ) {}

  /** Errors: VALIDATION_ERROR, QUOTA_EXCEEDED, CONFLICT. */
  async create(accountId: string, input: NewAgent): Promise<AgentRow> {
    await this.checks.checkNew(input);
    const agent = await this.records.create(accountId, input, await this.checks.limitsOf(accountId));
    await this.others.syncMessagingState(stateOf(agent));
    if (input.initialFiles.length > 0) this.workspaces.ensureSoon(agent.id);
    return agent;
  }

  /**
   * Changes what is given: files first, and back again when the rest is refused.
   * Errors: NOT_FOUND, VALIDATION_ERROR, QUOTA_EXCEEDED, CONFLICT; with files, those of the workspace's file requests.
   */
  async update(agentId: string, accountId: string, input: WholeUpdate): Promise<AgentRow> {
    const key: AgentKey = { agentId, accountId };
    const limits = await this.checks.limitsOf(accountId);
    const operations = planFiles(input.files ?? []);
    await this.checks.checkUpdate(key, input);
    if (operations.length > 0) await this.workspaces.ensure(key);
    const undo = await this.updates.applyFiles(agentId, operations);
    const agent = await this.records.update(key, input, limits).catch(async (error: unknown) => {
      await undo();
      throw error;
    });
    await this.applyChange(agent, changedFields(input));
    return agent;
  }

  /** What follows from a change of an agent's row, by the names of the fields and of what is in them. */
  async applyChange(agent: AgentRow, changed: string[]): Promise<void> {
    await this.others.syncMessagingState(stateOf(agent));
    const isOfSandbox = (field: string) => SANDBOX_FIELDS.some((known) => `${field}.`.startsWith(`${known}.`));
    if (changed.some(isOfSandbox)) await this.updates.apply(agent);
  }

  /** Errors: NOT_FOUND. */
  async delete(key: AgentKey): Promise<void> {
    const agent = await this.records.delete(key);
    await this.syncDeleted(agent);
    this.workspaces.removeSoon(agent.id);
  }

  /** Deletes some of a deleted account's agents in a transaction of the caller's; returns how many. */
  async deleteOldest(tx: Transaction, accountId: string, limit: number): Promise<number> {
    const deleted = await this.records.deleteOldest(tx, accountId, limit);
    for (const agent of deleted) {
      tx.afterCommit(() => {
        void this.syncDeleted(agent);
        this.workspaces.removeSoon(agent.id);
      });
    }
    return deleted.length;
  }

  /** Until the event reaches it, messaging refuses new messages as for a stopped agent and cancels the running turn. */
  private syncDeleted(agent: AgentRow): Promise<void> {
    const state = stateOf(agent);
    return this.others.syncMessagingState({ ...state, status: 'stopped', revision: state.revision + 1 });
  }
}
