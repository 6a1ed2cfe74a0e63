import { agentErrored, agentStatusChanged } from '#lib/contracts';
import type { Transaction } from '#lib/database';
import { type AgentKey, type AgentRow, lockAgent, stateOf } from '../agents/agent-row.js';
import { type Action, nextStatus } from './transitions.js';

export interface StatusChange {
  /** The row as it is after the change. */
  agent: AgentRow;
  hasChanged: boolean;
}

/**
 * Carries out an action of the state machine, with its event. An action that changes nothing makes no event.
 * `reason` is shown to the user as `status_reason`.
 * Errors: NOT_FOUND, VALIDATION_ERROR where the state does not allow the action.
 */
export async function changeStatus(
  tx: Transaction,
  key: AgentKey,
  action: Action,
  reason: string | null = null,
): Promise<StatusChange> {
  const before = await lockAgent(tx, key);
  const status = nextStatus(before.status, action);
  if (status === before.status) return { agent: before, hasChanged: false };
  const [agent = before] = await tx.query<AgentRow>(
    `UPDATE agents SET status = $2, status_reason = $3, revision = revision + 1, updated_at = now()
     WHERE id = $1 RETURNING *`,
    [before.id, status, reason],
  );
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
