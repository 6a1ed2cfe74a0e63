import { agentErrored, agentStatusChanged } from '#lib/contracts';
import type { Transaction } from '#lib/database';
import { Injectable } from '@nestjs/common';
import { type AgentKey, type AgentRow, stateOf } from '../agents/agent-row.js';
import { lockAgent, setAgentStatus } from '../agents/agents.repository.js';
import { type Action, nextStatus } from './transitions.js';

export interface StatusChange {
  /** The row as it is after the change. */
  agent: AgentRow;
  hasChanged: boolean;
}

/** Carries out the actions of the state machine, for users and for workspaces that keep failing. */
@Injectable()
export class StatusChanges {
  /**
   * Carries out an action, with its event. An action that changes nothing makes no event.
   * `reason` is shown to the user as `status_reason`.
   * Errors: NOT_FOUND, VALIDATION_ERROR where the state does not allow the action.
   */
  async apply(tx: Transaction, key: AgentKey, action: Action, reason: string | null = null): Promise<StatusChange> {
    const before = await lockAgent(tx, key);
    const status = nextStatus(before.status, action);
    if (status === before.status) return { agent: before, hasChanged: false };
    const agent = await setAgentStatus(tx, before, status, reason);
    await tx.outbox(agentStatusChanged, { ...stateOf(agent), previous: before.status, reason }, agent.id);
    if (status === 'error') {
      await tx.outbox(
        agentErrored,
        {
          agentId: agent.id,
          accountId: agent.account_id,
          code: 'WORKSPACE_FAILED',
          message: reason ?? 'the workspace keeps failing',
          occurredAt: agent.updated_at,
        },
        agent.id,
      );
    }
    return { agent, hasChanged: true };
  }
}
