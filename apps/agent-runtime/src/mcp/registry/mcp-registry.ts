import { auth } from '@modelcontextprotocol/sdk/client/auth.js';
import { type AgentForTurn, type McpServer, type NewMcpServer, RoostError } from '#lib/contracts';
import { checkRegisteredUrl, type GuardPolicy } from '#lib/net-guard';
import { guardedFetch } from '../guarded-fetch.js';
import type { McpConnection } from '../mcp-connection.js';
import type { Learned, McpPool } from '../mcp-pool.js';
import type { McpTarget } from '../mcp-target.js';
import { needsAuthorization, StdioServerFailure } from '../server-failure.js';
import { shownReason, shownStderr } from '../shown-text.js';
import { unusableTools } from '../usable-tool.js';
import type { McpAccessRepository } from './mcp-access.repository.js';
import type { OwnServersRepository } from './own-servers.repository.js';
import { OAuthClient } from './oauth-client.js';
import { type PendingAuthorization, takePending } from './oauth-state.js';
import { type ServerRow, type McpServersRepository, toServer } from './mcp-servers.repository.js';

export interface RegistryOptions {
  policy: GuardPolicy;
  /** Where users return to after they granted access, unless a request says otherwise. */
  redirectUri: string;
}

/** The account-wide MCP servers: what the API does with them, and what a turn gets of them. */
export class McpRegistry {
  constructor(
    private readonly servers: McpServersRepository,
    readonly access: McpAccessRepository,
    readonly own: OwnServersRepository,
    private readonly pool: McpPool,
    private readonly options: RegistryOptions,
  ) {}

  async create(accountId: string, server: NewMcpServer, limit: number): Promise<McpServer> {
    await this.check(server);
    return toServer(await this.servers.create(accountId, server, limit));
  }

  async get(accountId: string, id: string): Promise<McpServer> {
    return toServer(await this.servers.get(accountId, id));
  }

  list(accountId: string, page: number, limit: number) {
    return this.servers.list(accountId, page, limit);
  }

  async replace(accountId: string, id: string, server: NewMcpServer): Promise<McpServer> {
    await this.check(server);
    const before = await this.servers.get(accountId, id);
    const after = await this.servers.replace(accountId, id, server);
    if (before.url) await this.pool.reset(this.target(before));
    return toServer(after);
  }

  async delete(accountId: string, id: string): Promise<void> {
    const row = await this.servers.get(accountId, id);
    await this.servers.delete(accountId, id);
    if (row.url) await this.pool.reset(this.target(row));
  }

  async refresh(accountId: string, id: string): Promise<McpServer> {
    const row = await this.servers.get(accountId, id);
    if (row.url) {
      const since = performance.now();
      await this.pool.reset(this.target(row));
      await this.connect(row).then(
        (connection) => this.servers.setTools(id, connection.tools, ageOf(since)),
        () => undefined, // its status says why
      );
    }
    return this.get(accountId, id);
  }

  /** Asks the server itself, now. One in workspaces is asked only by its agents' turns. */
  async health(accountId: string, id: string) {
    const row = await this.servers.get(accountId, id);
    if (!row.url)
      return {
        id,
        // Never tried is `unknown`, and not healthy.
        healthy: row.status === 'connected',
        status: row.status,
        statusReason: row.status_reason,
        latencyMs: null,
        stderrTail: row.stderr_tail,
        checkedAt: row.checked_at,
      };
    const startedAt = Date.now();
    const healthy = await this.connect(row, true)
      .then(() => this.ping(row))
      .then(
        () => true,
        () => false, // its status says why
      );
    const now = await this.servers.get(accountId, id);
    return {
      id,
      healthy,
      status: now.status,
      statusReason: now.status_reason,
      latencyMs: healthy ? Date.now() - startedAt : null,
      stderrTail: null,
      checkedAt: now.checked_at,
    };
  }

  async authorize(
    accountId: string,
    id: string,
    redirectUri = this.options.redirectUri,
  ): Promise<{ authorizationUrl: string; state: string }> {
    const row = await this.servers.get(accountId, id);
    const client = new OAuthClient(this.servers, row, redirectUri, true);
    await this.runAuth(
      row,
      (fetch, serverUrl) => auth(client, { serverUrl, fetchFn: client.refreshing(fetch) }),
      client,
    );
    if (!client.authorizationUrl)
      throw new RoostError('CONFLICT', 'the MCP server is authorised already, or asks for no authorisation');
    return { authorizationUrl: client.authorizationUrl.href, state: client.state() };
  }

  async completeAuthorization(accountId: string, id: string, code: string, state: string): Promise<McpServer> {
    const row = await this.servers.get(accountId, id);
    const latest: { pending?: PendingAuthorization } = {};
    // Under the row's lock: of two who come with the same state one gets it.
    await this.servers.changeOAuth(row, (kept, now) => {
      const found = takePending(kept, state, now);
      if (found) latest.pending = found.taken;
      return found?.left ?? kept;
    });
    const { pending } = latest;
    if (!pending)
      throw new RoostError(
        'VALIDATION_ERROR',
        'state: is not the one of the latest authorisation, or was used, or is older than ten minutes; begin anew',
        [{ field: 'state', reason: 'mismatch' }],
      );
    const client = new OAuthClient(this.servers, row, pending.redirectUri, true, pending);
    await this.runAuth(row, (fetch, serverUrl) => auth(client, { serverUrl, authorizationCode: code, fetchFn: fetch }));
    await this.servers.recordAuthorized(id);
    return this.refresh(accountId, id);
  }

  /**
   * What an agent's turn may use: its own servers and, where it has access to any, those of the registry. An own name
   * hides a registry's.
   */
  async targets(agent: AgentForTurn, mayUseServers: boolean): Promise<McpTarget[]> {
    const { agentId, accountId, configuration } = agent;
    const own = Object.entries(configuration.mcpServers ?? {}).map(([name, config]): McpTarget => ({
      name,
      config,
      owner: `agent:${agentId}`,
      agentId,
      accountId,
      allowedTools: null,
    }));
    const names = new Set(own.map(({ name }) => name));
    const granted = mayUseServers ? await this.access.forAgent(accountId, agentId) : [];
    return [
      ...own,
      ...granted.filter(({ name }) => !names.has(name)).map((row) => this.target(row, agentId, row.access_tools)),
    ];
  }

  /** Keeps what turns learn of servers: of the registry's in their rows, of an agent's own by its id and their names. */
  async learned(target: McpTarget, { tools, failure, since }: Learned): Promise<void> {
    if (!target.serverId) {
      const reason = failure ? shownReason(failure, target.config) : null;
      return this.own.record(target.accountId, target.agentId, target.name, reason, ageOf(since));
    }
    if (failure) await this.setFailure(target.serverId, failure, target, since);
    else await this.servers.setTools(target.serverId, tools, ageOf(since));
  }

  private async connect(row: ServerRow, anew = false): Promise<McpConnection> {
    const target = this.target(row);
    const since = performance.now();
    try {
      const kept = anew ? await this.pool.connection(target).catch(() => undefined) : undefined;
      if (anew && !kept) await this.pool.reset(target);
      const connection = kept ?? (await this.pool.connection(target));
      await this.servers.setConnected(row.id, unusableTools(connection.tools), ageOf(since));
      return connection;
    } catch (error) {
      await this.setFailure(row.id, error, target, since);
      throw error;
    }
  }

  /** A connection that was kept says nothing about the server now. */
  private async ping(row: ServerRow): Promise<void> {
    const target = this.target(row);
    const since = performance.now();
    try {
      await this.pool.use(target, (connection) => connection.ping());
    } catch (error) {
      await this.setFailure(row.id, error, target, since);
      throw error;
    }
  }

  private setFailure(id: string, error: unknown, { config, auth }: McpTarget, since: number): Promise<void> {
    const failure = error instanceof Error ? error : new Error(String(error));
    const failed = {
      // A server with a header of the owner's own asks for no authorization that OAuth could bring.
      status: auth && needsAuthorization(failure) ? ('needs_authorization' as const) : ('failed' as const),
      reason: shownReason(failure, config),
      stderrTail: failure instanceof StdioServerFailure ? shownStderr(failure.stderr, config) : null,
    };
    return this.servers.setFailed(id, failed, ageOf(since));
  }

  private async runAuth(
    row: ServerRow,
    run: (fetch: ReturnType<typeof guardedFetch>['fetch'], serverUrl: string) => Promise<unknown>,
    client?: OAuthClient,
  ): Promise<void> {
    if (!row.url) throw new RoostError('CONFLICT', 'a server that runs in workspaces needs no authorisation');
    const guarded = guardedFetch(this.options.policy);
    try {
      await run(guarded.fetch, row.url);
    } catch (error) {
      if (client?.authorizationUrl) return;
      if (error instanceof RoostError) throw error;
      throw new RoostError(
        'CONFLICT',
        `the authorisation did not succeed: ${(error instanceof Error ? error.message : String(error)).slice(0, 300)}`,
      );
    } finally {
      await guarded.close();
    }
  }

  private target(row: ServerRow, agentId = '', allowedTools: string[] | null = null): McpTarget {
    const { headers, env } = this.servers.secrets(row);
    const config = row.command
      ? { command: row.command, args: row.args, env }
      : { url: row.url ?? '', headers, ...(row.transport ? { transport: row.transport } : {}) };
    // A header the user set is his choice of authorisation; OAuth would overwrite it.
    const hasOwnAuth = Object.keys(headers).some((name) => name.toLowerCase() === 'authorization');
    return {
      name: row.name,
      config,
      owner: `server:${row.id}`,
      agentId,
      accountId: row.account_id,
      allowedTools,
      serverId: row.id,
      ...(row.url && !hasOwnAuth ? { auth: new OAuthClient(this.servers, row, this.options.redirectUri, false) } : {}),
    };
  }

  private async check(server: NewMcpServer): Promise<void> {
    if ((server.url === undefined) === (server.command === undefined))
      throw new RoostError('VALIDATION_ERROR', 'url: give either url or command', [
        { field: 'url', reason: 'required' },
      ]);
    if (server.url !== undefined) await checkRegisteredUrl(server.url, this.options.policy);
    if (server.url === undefined && (server.headers || server.transport))
      throw new RoostError('VALIDATION_ERROR', 'headers: only a server with a url has headers or a transport', [
        { field: 'headers', reason: 'not_allowed' },
      ]);
  }
}

/** How long ago it was: workers compare what they have seen by the database's clock, not by their own. */
const ageOf = (since: number): number => performance.now() - since;
