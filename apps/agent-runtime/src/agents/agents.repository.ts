import type { Transaction } from '#lib/database';

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

/** Removes every row of an agent. */
export async function deleteRowsOfAgent(tx: Transaction, agentId: string): Promise<void> {
  for (const table of TABLES) await tx.query(`DELETE FROM ${table} WHERE agent_id = $1`, [agentId]);
  // The indexes of sessions are of the open and of the ended ones.
  for (const which of ['IS NULL', 'IS NOT NULL'])
    await tx.query(`DELETE FROM sessions WHERE agent_id = $1 AND ended_at ${which}`, [agentId]);
}

/** Removes some of an account's MCP servers, with their secrets and who may use them. Returns how many. */
export async function deleteSomeMcpServers(tx: Transaction, accountId: string, limit: number): Promise<number> {
  const removed = await tx.query(
    `DELETE FROM mcp_servers WHERE id IN (SELECT id FROM mcp_servers WHERE account_id = $1 LIMIT $2) RETURNING id`,
    [accountId, limit],
  );
  return removed.length;
}
