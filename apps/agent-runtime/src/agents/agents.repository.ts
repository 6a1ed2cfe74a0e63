import { deleteAll, type Queries, type Transaction } from '#lib/database';

const TABLES = [
  'transcript',
  'turn_usage',
  'attempts',
  'memory_copies',
  'mcp_access',
  'unfinished_turns',
  'refused_keys',
  'own_mcp_servers',
];

/**
 * For how long the turn of a deleted agent may write: it is told at once, and ends with its lease where it was not, but a
 * worker that stood still or had no database writes when it goes on.
 */
const LATE_WITHIN = '1 hour';

/** Removes every row of some agents. */
export async function deleteRowsOfAgents(tx: Transaction, agentIds: string[]): Promise<void> {
  for (const table of TABLES) await deleteAll(tx, table, 'agent_id = ANY($1::uuid[])', [agentIds]);
  // The indexes of sessions are of the open and of the ended ones.
  for (const which of ['IS NULL', 'IS NOT NULL'])
    await deleteAll(tx, 'sessions', `agent_id = ANY($1::uuid[]) AND ended_at ${which}`, [agentIds]);
}

/** Has the agent looked at again for what is written late. */
export async function addDeletedAgent(tx: Transaction, agentId: string): Promise<void> {
  await tx.query(`INSERT INTO deleted_agents (agent_id) VALUES ($1) ON CONFLICT DO NOTHING`, [agentId]);
}

/** Some deleted agents in order of their ids, from the one after `agentId` on. */
export async function deletedAgentsAfter(queries: Queries, agentId: string, limit: number): Promise<string[]> {
  const rows = await queries.query<{ agent_id: string }>(
    `SELECT agent_id FROM deleted_agents WHERE agent_id > $1::uuid ORDER BY agent_id LIMIT $2`,
    [agentId, limit],
  );
  return rows.map(({ agent_id }) => agent_id);
}

/** Those of the agents that nothing is written of any more, in the transaction that looked at them for the last time. */
export async function forgetDeletedAgents(tx: Transaction, agentIds: string[]): Promise<void> {
  await tx.query(`DELETE FROM deleted_agents WHERE agent_id = ANY($1::uuid[]) AND deleted_at < now() - $2::interval`, [
    agentIds,
    LATE_WITHIN,
  ]);
}

/** Removes some of an account's MCP servers, with their secrets and who may use them. Returns how many. */
export async function deleteSomeMcpServers(tx: Transaction, accountId: string, limit: number): Promise<number> {
  const removed = await tx.query(
    `DELETE FROM mcp_servers WHERE id IN (SELECT id FROM mcp_servers WHERE account_id = $1 LIMIT $2) RETURNING id`,
    [accountId, limit],
  );
  return removed.length;
}
