import type { Database } from '#lib/database';
import { notSeenFor } from './seen-before.js';

/** How an MCP server of an agent's own configuration is doing, as its last turn found. */
interface OwnServerRow {
  name: string;
  status: string;
  reason: string | null;
  checked_at: Date;
}

/** The health of servers that stand in agents' configurations; that of the registry's is in their own rows. */
export class OwnServersRepository {
  constructor(private readonly database: Database) {}

  /** `reason`: why it cannot be used; null when it can. `ageMs`: how long ago the look at it began. */
  async record(accountId: string, agentId: string, name: string, reason: string | null, ageMs: number): Promise<void> {
    await this.database.query(
      `INSERT INTO own_mcp_servers (agent_id, name, account_id, status, reason) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (agent_id, name) DO UPDATE SET status = excluded.status, reason = excluded.reason, checked_at = now()
       WHERE excluded.reason IS NULL OR ${notSeenFor('$6', 'own_mcp_servers.')}`,
      [agentId, name, accountId, reason === null ? 'connected' : 'failed', reason, ageMs],
    );
  }

  forAgent(accountId: string, agentId: string): Promise<OwnServerRow[]> {
    return this.database.query(
      `SELECT name, status, reason, checked_at FROM own_mcp_servers WHERE agent_id = $1 AND account_id = $2
       ORDER BY name LIMIT 1000`,
      [agentId, accountId],
    );
  }
}
