import type { Bus } from '#lib/bus';
import { type AgentList, type ListAgents, paginationOf } from '#lib/contracts';
import type { Database } from '#lib/database';
import type { z } from 'zod';
import type { AgentRow } from './agent-row.js';
import { countFor } from './count-for.js';

/** One page of an account's agents. What another service counts is 0 while it is away. */
export async function listAgents(
  database: Database,
  bus: Bus,
  accountId: string,
  { page, limit, status, sort, order }: z.output<typeof ListAgents>,
): Promise<z.output<typeof AgentList>> {
  // `sort` and `order` are one of the contract's words, so that they may stand in SQL.
  const rows = await database.query<AgentRow>(
    `SELECT id, name, description, status, created_at, updated_at, mcp_server_count FROM agents
     WHERE account_id = $1 AND ($2::text IS NULL OR status = $2)
     ORDER BY ${sort} ${order}, id ${order} LIMIT $3 OFFSET $4`,
    [accountId, status ?? null, limit, (page - 1) * limit],
  );
  const [counted] = await database.query<{ total: string }>(
    `SELECT count(*) AS total FROM agents WHERE account_id = $1 AND ($2::text IS NULL OR status = $2)`,
    [accountId, status ?? null],
  );
  const counts = await countFor(
    bus,
    rows.map(({ id }) => id),
  );
  return {
    agents: rows.map((row) => ({
      id: row.id,
      uuid: row.id,
      name: row.name,
      description: row.description,
      status: row.status,
      createdAt: row.created_at,
      updatedAt: row.updated_at,
      messageCount: counts(row.id).messages,
      mcpServerCount: row.mcp_server_count + counts(row.id).grantedServers,
    })),
    pagination: paginationOf(page, limit, Number(counted?.total ?? 0)),
  };
}
