import { recordAudit } from '#lib/audit';
import { type McpAccess, RoostError } from '#lib/contracts';
import type { Database } from '#lib/database';
import type { z } from 'zod';
import type { ServerRow } from './mcp-servers.repository.js';

type Access = z.output<typeof McpAccess>;

interface AccessRow {
  agent_id: string;
  access_mode: Access['accessMode'];
  tools: string[];
  created_at: Date;
}

/** Which agents may use which servers of the registry. */
export class McpAccessRepository {
  constructor(private readonly database: Database) {}

  async grant(
    accountId: string,
    serverId: string,
    access: Pick<Access, 'agentId' | 'accessMode' | 'tools'>,
  ): Promise<Access> {
    return this.database.transaction(async (tx) => {
      const [row] = await tx.query<AccessRow>(
        `INSERT INTO mcp_access (server_id, agent_id, account_id, access_mode, tools)
       SELECT id, $3, account_id, $4, $5 FROM mcp_servers WHERE account_id = $1 AND id = $2
       ON CONFLICT (server_id, agent_id) DO UPDATE SET access_mode = excluded.access_mode, tools = excluded.tools
       RETURNING *`,
        [accountId, serverId, access.agentId, access.accessMode, access.tools],
      );
      if (!row) throw new RoostError('NOT_FOUND', 'there is no such MCP server');
      const target = { type: 'mcp_server', id: serverId };
      await recordAudit(tx, { action: 'mcp_access.granted', target, fields: [`agent:${access.agentId}`] });
      return toAccess(row);
    });
  }

  async list(accountId: string, serverId: string): Promise<Access[]> {
    const rows = await this.database.query<AccessRow>(
      `SELECT * FROM mcp_access WHERE account_id = $1 AND server_id = $2 ORDER BY created_at LIMIT 1000`,
      [accountId, serverId],
    );
    return rows.map(toAccess);
  }

  async revoke(accountId: string, serverId: string, agentId: string): Promise<void> {
    await this.database.transaction(async (tx) => {
      const rows = await tx.query(
        `DELETE FROM mcp_access WHERE account_id = $1 AND server_id = $2 AND agent_id = $3 RETURNING agent_id`,
        [accountId, serverId, agentId],
      );
      if (rows.length === 0) throw new RoostError('NOT_FOUND', 'the agent has no access to this MCP server');
      const target = { type: 'mcp_server', id: serverId };
      await recordAudit(tx, { action: 'mcp_access.revoked', target, fields: [`agent:${agentId}`] });
    });
  }

  /** How many servers each of the agents may use; those that may use none are absent. */
  async count(accountId: string, agentIds: string[]): Promise<Record<string, number>> {
    const rows = await this.database.query<{ agent_id: string; count: number }>(
      `SELECT agent_id, count(*)::int AS count FROM mcp_access
       WHERE account_id = $1 AND agent_id = ANY($2) GROUP BY agent_id`,
      [accountId, agentIds],
    );
    return Object.fromEntries(rows.map((row) => [row.agent_id, row.count]));
  }

  /** The servers an agent may use, with the tools it may call (null: all). */
  async forAgent(
    accountId: string,
    agentId: string,
  ): Promise<(ServerRow & { access_mode: string; access_tools: string[] | null })[]> {
    return this.database.query(
      `SELECT s.*, a.access_mode, CASE WHEN a.access_mode = 'selected' THEN a.tools END AS access_tools
       FROM mcp_access a JOIN mcp_servers s ON s.id = a.server_id
       WHERE a.agent_id = $2 AND a.account_id = $1 ORDER BY s.name LIMIT 100`,
      [accountId, agentId],
    );
  }
}

function toAccess(row: AccessRow): Access {
  return { agentId: row.agent_id, accessMode: row.access_mode, tools: row.tools, createdAt: row.created_at };
}
