import { agentDeleted } from '#lib/contracts';
import type { Transaction } from '#lib/database';
import { type AgentKey, type AgentRow, lockAgent } from './agent-row.js';

/**
 * Forgets the agent: its row with keys, ledger and waiting files. The record of the deletion lets the volume be
 * removed, now or after a crash; the other services follow by the event. Errors: NOT_FOUND.
 */
export async function deleteAgent(tx: Transaction, key: AgentKey): Promise<AgentRow> {
  const agent = await lockAgent(tx, key);
  await tx.query(`DELETE FROM agents WHERE id = $1`, [agent.id]);
  await tx.query(`INSERT INTO deleted_agents (agent_id, account_id) VALUES ($1, $2)`, [agent.id, agent.account_id]);
  await tx.outbox(
    agentDeleted,
    // One more than the state that messaging is told ahead of the event.
    { agentId: agent.id, accountId: agent.account_id, revision: Number(agent.revision) + 2 },
    agent.id,
  );
  return agent;
}
