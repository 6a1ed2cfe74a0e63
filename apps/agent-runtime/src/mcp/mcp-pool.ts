import { StreamableHTTPClientTransport, StreamableHTTPError } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import type { FetchLike, Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { GuardPolicy } from '#lib/net-guard';
import type { Bus } from '#lib/bus';
import { answerFetch } from './answer-fetch.js';
import { guardedFetch } from './guarded-fetch.js';
import { lenientFetch } from './lenient-message.js';
import { McpConnection, type McpTool } from './mcp-connection.js';
import { type McpTarget, targetKey } from './mcp-target.js';
import { needsAuthorization, StdioServerFailure } from './server-failure.js';
import { SessionLost, sessionFetch } from './session-lost.js';
import { vaultFetch } from '../vault/vault-headers.js';
import { WorkspaceStdioTransport } from './workspace-stdio-transport.js';

const IDLE_MS = 5 * 60_000;
/** How long a server that could not be reached is left alone. */
const REST_MS = 15_000;

interface Slot {
  opening: Promise<McpConnection> | undefined;
  connection: McpConnection | undefined;
  usedAt: number;
  failedAt: number;
  failure: Error | undefined;
  /** As last seen, also while the server is away. */
  tools: McpTool[];
  /** True when the tools or the failure changed since `tools()` was last asked. */
  isNews: boolean;
  /** When what is known of the server was begun to be found out, by `performance.now()`. */
  since: number;
}

/** What became of a try to reach a server. */
type Reached = { slot: Slot } & (
  { connection: McpConnection; failure?: undefined } | { connection?: undefined; failure: Error }
);

/** What a turn learns of a server. */
export interface Learned {
  tools: McpTool[];
  failure?: Error;
  /** When finding it out began, by `performance.now()`: who began later knows better. */
  since: number;
}

/**
 * Connections to MCP servers, kept across turns and closed when nobody has used them for five minutes. A server
 * that cannot be reached fails its own calls at once for a while and nobody else's.
 */
export class McpPool {
  private readonly slots = new Map<string, Slot>();
  private readonly guarded;
  private readonly sweep: NodeJS.Timeout;

  constructor(
    private readonly bus: Bus,
    policy: GuardPolicy,
  ) {
    this.guarded = guardedFetch(policy);
    this.sweep = setInterval(() => this.closeIdle(), 30_000);
  }

  /** The tools of a server, connecting if needed; those last seen when it is away, with the reason. `isNews`: the reason was not reported before. */
  async tools(target: McpTarget): Promise<Learned & { isNews: boolean }> {
    const { slot, failure } = await this.reached(target);
    const { tools, since } = slot;
    const isNews = slot.isNews && this.isCurrent(target, slot);
    slot.isNews = false;
    return { tools, since, isNews, ...(failure ? { failure } : {}) };
  }

  /** A live connection. Errors: why there is none. */
  async connection(target: McpTarget): Promise<McpConnection> {
    const { connection, failure } = await this.reached(target);
    if (failure) throw failure;
    return connection;
  }

  /** Where a slot was replaced while it was waited for, what counts is what becomes of the one in its place. */
  private async reached(target: McpTarget): Promise<Reached> {
    for (;;) {
      const slot = this.slot(target);
      const reached = await this.opened(target, slot).then(
        (connection): Reached => ({ slot, connection }),
        (error: unknown): Reached => ({ slot, failure: asError(error) }),
      );
      if (this.isCurrent(target, slot) || !this.slots.has(targetKey(target))) return reached;
    }
  }

  private async opened(target: McpTarget, slot: Slot): Promise<McpConnection> {
    slot.usedAt = performance.now();
    if (slot.connection && !slot.connection.isClosed) return slot.connection;
    if (slot.failure && performance.now() - slot.failedAt < REST_MS) throw slot.failure;
    slot.opening ??= this.open(target, slot).finally(() => (slot.opening = undefined));
    return slot.opening;
  }

  private isCurrent(target: McpTarget, slot: Slot): boolean {
    return this.slots.get(targetKey(target)) === slot;
  }

  /**
   * Uses a live connection, and once more a new one when the server has forgotten the session. Others on the old one
   * keep it until they have their answers; all who find it forgotten share the new one.
   */
  async use<T>(target: McpTarget, run: (connection: McpConnection) => Promise<T>): Promise<T> {
    const { slot, connection, failure } = await this.reached(target);
    if (failure) throw failure;
    const startedAt = performance.now();
    try {
      return await run(connection);
    } catch (error) {
      const isLost = error instanceof SessionLost;
      if (!isLost && !(target.auth && needsAuthorization(error))) throw error;
      if (slot.connection === connection) slot.connection = undefined;
      connection.retire();
      if (isLost) return run(await this.connection(target));
      this.fail(slot, error, startedAt);
      throw error;
    } finally {
      slot.usedAt = performance.now();
    }
  }

  /** Forgets what is known of a server, e.g. after it was authorised: the next use connects anew. */
  async reset(target: McpTarget): Promise<void> {
    const key = targetKey(target);
    const slot = this.slots.get(key);
    this.slots.delete(key);
    await slot?.connection?.close();
  }

  async stop(): Promise<void> {
    clearInterval(this.sweep);
    const slots = [...this.slots.values()];
    this.slots.clear();
    await Promise.all(slots.map(async (slot) => slot.connection?.close()));
    await this.guarded.close();
  }

  private async open(target: McpTarget, slot: Slot): Promise<McpConnection> {
    slot.since = performance.now();
    try {
      const connection = await this.connect(target, (tools) => {
        slot.tools = tools;
        slot.isNews = true;
        // Changed while it was connected.
        if (!slot.opening) slot.since = performance.now();
      });
      if (!this.isCurrent(target, slot)) {
        // Nobody would close it later.
        await connection.close();
        throw new Error('the MCP server was changed or removed in the meantime');
      }
      slot.connection = connection;
      slot.failure = undefined;
      return connection;
    } catch (error) {
      throw this.fail(slot, error, slot.since);
    }
  }

  private fail(slot: Slot, error: unknown, since: number): Error {
    slot.failure = asError(error);
    slot.failedAt = performance.now();
    slot.isNews = true;
    slot.since = since;
    return slot.failure;
  }

  private async connect(target: McpTarget, onTools: (tools: McpTool[]) => void): Promise<McpConnection> {
    const { config } = target;
    if ('command' in config) {
      const transport = new WorkspaceStdioTransport(this.bus, target, config);
      return McpConnection.open(transport, onTools).catch(async (error: unknown) => {
        await transport.close();
        if (error instanceof StdioServerFailure || !transport.stderr) throw error;
        throw new StdioServerFailure(asError(error).message, transport.stderr);
      });
    }
    if (config.transport === 'sse') return McpConnection.open(this.sse(target, config), onTools);
    try {
      return await McpConnection.open(this.http(target, config), onTools);
    } catch (error) {
      // Servers of the older kind refuse the POST that the newer transport begins with.
      const isOlder = error instanceof StreamableHTTPError && [400, 404, 405].includes(error.code ?? 0);
      if (!isOlder || config.transport === 'http') throw error;
      return McpConnection.open(this.sse(target, config), onTools);
    }
  }

  private http(target: McpTarget, server: RemoteConfig): Transport {
    const { url, headers = {} } = server;
    const { auth } = target;
    const transport = new StreamableHTTPClientTransport(new URL(url), {
      fetch: answerFetch(sessionFetch(this.fetchFor(target, server))),
      requestInit: { headers },
      ...(auth ? { authProvider: auth } : {}),
    });
    // The SDK declares optional members differently from its own interface under exactOptionalPropertyTypes.
    return transport as Transport;
  }

  private sse(target: McpTarget, server: RemoteConfig): Transport {
    const { url, headers = {} } = server;
    const { auth } = target;
    return new SSEClientTransport(new URL(url), {
      fetch: sessionFetch(this.fetchFor(target, server), true),
      requestInit: { headers },
      ...(auth ? { authProvider: auth } : {}),
    });
  }

  private fetchFor({ auth, accountId }: McpTarget, server: RemoteConfig): FetchLike {
    const fetch = lenientFetch(vaultFetch(this.guarded.fetch, server, this.bus, accountId));
    return auth ? auth.refreshing(fetch) : fetch;
  }

  private slot(target: McpTarget): Slot {
    const key = targetKey(target);
    let slot = this.slots.get(key);
    if (!slot) {
      slot = {
        opening: undefined,
        connection: undefined,
        usedAt: performance.now(),
        failedAt: 0,
        failure: undefined,
        tools: [],
        isNews: false,
        since: performance.now(),
      };
      this.slots.set(key, slot);
    }
    return slot;
  }

  private closeIdle(): void {
    for (const [key, slot] of this.slots) {
      // A call that reports progress may take longer.
      if (slot.opening || slot.connection?.isBusy || performance.now() - slot.usedAt < IDLE_MS) continue;
      this.slots.delete(key);
      void slot.connection?.close();
    }
  }
}

interface RemoteConfig {
  url: string;
  headers?: Record<string, string> | undefined;
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
