import { givenFields, namedWithin, recordAudit } from '#lib/audit';
import type { Sealer } from '#lib/auth';
import { mcpAuthorizationNeeded, McpServer, type NewMcpServer, paginationOf, RoostError } from '#lib/contracts';
import { type Database, newId, type Transaction } from '#lib/database';
import { requireQuota } from '#lib/quotas';
import type { McpTool } from '../mcp-connection.js';
import { unusableTools } from '../usable-tool.js';
import type { OAuthState } from './oauth-state.js';
import { before, notSeenFor } from './seen-before.js';

const MAX_REASON_CHARS = 500;

export interface ServerRow {
  id: string;
  account_id: string;
  name: string;
  url: string | null;
  command: string | null;
  args: string[];
  transport: 'http' | 'sse' | null;
  header_names: string[];
  env_names: string[];
  secrets_sealed: string;
  oauth_sealed: string | null;
  is_authorized: boolean;
  status: McpServer['status'];
  status_reason: string | null;
  stderr_tail: string | null;
  checked_at: Date | null;
  tools: string;
  tools_refreshed_at: Date | null;
  created_at: Date;
  updated_at: Date;
}

/** A server at the address that an authorisation is for. */
export type ServerAt = Pick<ServerRow, 'id' | 'url'>;

export interface ServerFailure {
  status: 'failed' | 'needs_authorization';
  reason: string;
  stderrTail: string | null;
}

/** Nothing of an earlier failure is left. */
const CONNECTED = `status = 'connected', stderr_tail = NULL, checked_at = now(), authorization_asked_at = NULL`;

/** That the server was not changed since the look at it began, so many milliseconds ago by a parameter. */
const unchangedFor = (age: string) => `updated_at <= ${before(age)}`;

export interface ServerSecrets {
  headers: Record<string, string>;
  env: Record<string, string>;
}

const serverTarget = (id: string) => ({ type: 'mcp_server', id });

/** With the names of the headers and variables, whose values are secrets. */
const auditedFields = (server: NewMcpServer) => [
  ...givenFields(server),
  ...namedWithin('headers', server.headers),
  ...namedWithin('env', server.env),
];

/** The rows of the account-wide registry. Every query names the account. */
export class McpServersRepository {
  constructor(
    private readonly database: Database,
    private readonly sealer: Sealer,
  ) {}

  /** `limit`: how many the account may have. Errors: ALREADY_EXISTS, QUOTA_EXCEEDED. */
  async create(accountId: string, server: NewMcpServer, limit: number): Promise<ServerRow> {
    const id = newId();
    const rows = await this.database
      .transaction(async (tx) => {
        const count = () => countMcpServers(tx, accountId);
        await requireQuota(tx, { accountId, quota: 'mcp_servers', limit, count });
        await recordAudit(tx, {
          action: 'mcp_server.created',
          target: serverTarget(id),
          fields: auditedFields(server),
        });
        return tx.query<ServerRow>(
          `INSERT INTO mcp_servers (id, account_id, name, url, command, args, transport, header_names, env_names, secrets_sealed)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING *`,
          [id, accountId, ...this.columns(id, server)],
        );
      })
      .catch(nameTaken);
    return one(rows);
  }

  /** Tokens stay good where the address is the same. */
  async replace(accountId: string, id: string, server: NewMcpServer): Promise<ServerRow> {
    const rows = await this.database
      .transaction(async (tx) => {
        await recordAudit(tx, {
          action: 'mcp_server.updated',
          target: serverTarget(id),
          fields: auditedFields(server),
        });
        const found = await tx.query<ServerRow>(
          `UPDATE mcp_servers SET name = $3, url = $4, command = $5, args = $6, transport = $7, header_names = $8, env_names = $9, secrets_sealed = $10,
           oauth_sealed = CASE WHEN url = $4 THEN oauth_sealed END, is_authorized = is_authorized AND url IS NOT DISTINCT FROM $4,
           status = 'unknown', status_reason = NULL, stderr_tail = NULL, checked_at = NULL, authorization_asked_at = NULL,
           updated_at = now()
         WHERE account_id = $2 AND id = $1 RETURNING *`,
          [id, accountId, ...this.columns(id, server)],
        );
        one(found);
        return found;
      })
      .catch(nameTaken);
    return one(rows);
  }

  async get(accountId: string, id: string): Promise<ServerRow> {
    return one(
      await this.database.query<ServerRow>(`SELECT * FROM mcp_servers WHERE account_id = $1 AND id = $2`, [
        accountId,
        id,
      ]),
    );
  }

  async list(accountId: string, page: number, limit: number) {
    const rows = await this.database.query<ServerRow>(
      `SELECT * FROM mcp_servers WHERE account_id = $1 ORDER BY created_at, id LIMIT $2 OFFSET $3`,
      [accountId, limit, (page - 1) * limit],
    );
    const [count] = await this.database.query<{ total: number }>(
      `SELECT count(*)::int AS total FROM mcp_servers WHERE account_id = $1`,
      [accountId],
    );
    return { servers: rows.map(toServer), pagination: paginationOf(page, limit, count?.total ?? 0) };
  }

  async delete(accountId: string, id: string): Promise<void> {
    await this.database.transaction(async (tx) => {
      await recordAudit(tx, { action: 'mcp_server.deleted', target: serverTarget(id) });
      one(
        await tx.query<ServerRow>(`DELETE FROM mcp_servers WHERE account_id = $1 AND id = $2 RETURNING *`, [
          accountId,
          id,
        ]),
      );
    });
  }

  /**
   * It answered. Reason: which of its tools no agent is offered. `ageMs`, here and below: how long ago the look at it began; one
   * that was changed since is another server.
   */
  async setConnected(id: string, reason: string | null, ageMs: number): Promise<void> {
    await this.database.query(
      `UPDATE mcp_servers SET ${CONNECTED}, status_reason = $2 WHERE id = $1 AND ${unchangedFor('$3')}`,
      [id, reason?.slice(0, MAX_REASON_CHARS) ?? null, ageMs],
    );
  }

  /**
   * It could not be used, and nobody who began later has found how it is. That its owner has to authorize it is reported once,
   * until it can be used again.
   */
  async setFailed(id: string, { status, reason, stderrTail }: ServerFailure, ageMs: number): Promise<void> {
    await this.database.transaction(async (tx) => {
      const [marked] = await tx.query<Pick<ServerRow, 'account_id' | 'name'> & { isFirst: boolean; now: Date }>(
        `UPDATE mcp_servers AS server SET status = $2, status_reason = $3, stderr_tail = $4, checked_at = now(),
           authorization_asked_at = CASE WHEN $5 THEN coalesce(server.authorization_asked_at, now())
                                         ELSE server.authorization_asked_at END
         FROM (SELECT id, authorization_asked_at FROM mcp_servers
               WHERE id = $1 AND ${unchangedFor('$6')} AND ${notSeenFor('$6')} FOR UPDATE) AS before
         WHERE server.id = before.id
         RETURNING server.account_id, server.name, now(), before.authorization_asked_at IS NULL AND $5 AS "isFirst"`,
        [id, status, reason, stderrTail, status === 'needs_authorization', ageMs],
      );
      if (!marked?.isFirst) return;
      const { account_id: accountId, name, now } = marked;
      await tx.outbox(mcpAuthorizationNeeded, { serverId: id, accountId, name, reason, occurredAt: now }, id);
    });
  }

  /** Also records that the server is connected: it has just listed its tools. The reason names those that no agent is offered. */
  async setTools(id: string, tools: McpTool[], ageMs: number): Promise<void> {
    const kept = JSON.stringify(tools.map(({ name, description }) => ({ name, description: description ?? null })));
    await this.database.query(
      `UPDATE mcp_servers SET tools = $2, tools_refreshed_at = now(), ${CONNECTED}, status_reason = $3
       WHERE id = $1 AND ${unchangedFor('$4')}`,
      [id, kept, unusableTools(tools)?.slice(0, MAX_REASON_CHARS) ?? null, ageMs],
    );
  }

  /**
   * What OAuth needs to remember, changed under a row lock: two workers may refresh a token at once. Nothing where the
   * server is at another address now: what its old one's connections get is of another authorisation.
   */
  async changeOAuth({ id, url }: ServerAt, change: (state: OAuthState, now: Date) => OAuthState): Promise<void> {
    await this.database.transaction(async (tx) => {
      const [row] = await tx.query<Pick<ServerRow, 'oauth_sealed'> & { now: Date }>(
        `SELECT oauth_sealed, now() FROM mcp_servers WHERE id = $1 AND url = $2 FOR UPDATE`,
        [id, url],
      );
      if (!row) return;
      const kept = this.openOAuth(id, row);
      const state = change(kept, row.now);
      if (state === kept) return;
      await tx.query(`UPDATE mcp_servers SET oauth_sealed = $2, is_authorized = $3 WHERE id = $1`, [
        id,
        this.sealer.seal(JSON.stringify(state), sealContext(id)),
        state.tokens !== undefined,
      ]);
    });
  }

  /** That a user brought back a grant; the tokens themselves are stored by the OAuth client, also when it renews them. */
  recordAuthorized(id: string): Promise<void> {
    return this.database.transaction((tx) =>
      recordAudit(tx, { action: 'mcp_server.authorized', target: serverTarget(id) }),
    );
  }

  /** Nothing where the server is at another address now: a connection to the old one must not send it the new one's tokens. */
  async oauth({ id, url }: ServerAt): Promise<OAuthState> {
    const [row] = await this.database.query<Pick<ServerRow, 'oauth_sealed'>>(
      `SELECT oauth_sealed FROM mcp_servers WHERE id = $1 AND url = $2`,
      [id, url],
    );
    return row ? this.openOAuth(id, row) : {};
  }

  private openOAuth(id: string, row: Pick<ServerRow, 'oauth_sealed'>): OAuthState {
    return row.oauth_sealed ? (JSON.parse(this.sealer.open(row.oauth_sealed, sealContext(id))) as OAuthState) : {};
  }

  secrets(row: Pick<ServerRow, 'id' | 'secrets_sealed'>): ServerSecrets {
    return JSON.parse(this.sealer.open(row.secrets_sealed, sealContext(row.id))) as ServerSecrets;
  }

  private columns(
    id: string,
    { name, url, command, args = [], transport, headers = {}, env = {} }: NewMcpServer,
  ): unknown[] {
    const secrets: ServerSecrets = { headers, env };
    return [
      name,
      url ?? null,
      command ?? null,
      args,
      transport ?? null,
      Object.keys(headers),
      Object.keys(env),
      this.sealer.seal(JSON.stringify(secrets), sealContext(id)),
    ];
  }
}

/** The columns that hold secrets, for a change of the master key. */
export const sealedServerSecrets = ['secrets_sealed', 'oauth_sealed'].map((column) => ({
  table: 'mcp_servers',
  column,
  id: 'id::text',
  context: 'mcp_servers',
}));

/** What the sealed columns of a row are bound to. */
const sealContext = (id: string) => `mcp_servers:${id}`;

export function toServer(row: ServerRow): McpServer {
  return {
    id: row.id,
    name: row.name,
    url: row.url,
    command: row.command,
    args: row.args,
    transport: row.command ? 'stdio' : row.transport,
    headerNames: row.header_names,
    envNames: row.env_names,
    status: row.status,
    statusReason: row.status_reason,
    isAuthorized: row.is_authorized,
    tools: JSON.parse(row.tools) as McpServer['tools'],
    toolsRefreshedAt: row.tools_refreshed_at,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

function one(rows: ServerRow[]): ServerRow {
  const [row] = rows;
  if (!row) throw new RoostError('NOT_FOUND', 'there is no such MCP server');
  return row;
}

function nameTaken(error: unknown): never {
  const code =
    (error as { code?: string; driverError?: { code?: string } }).driverError?.code ??
    (error as { code?: string }).code;
  if (code === '23505')
    throw new RoostError('ALREADY_EXISTS', 'name: another MCP server of the account has it', [
      { field: 'name', reason: 'taken' },
    ]);
  throw error;
}

export async function countMcpServers(queries: Pick<Transaction, 'query'>, accountId: string): Promise<number> {
  const [row] = await queries.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM mcp_servers WHERE account_id = $1`,
    [accountId],
  );
  return row?.count ?? 0;
}
