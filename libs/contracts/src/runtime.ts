import { z } from 'zod';
import { Provider } from './provider-keys.js';
import { event, request } from './request.js';
import { AccountId, AgentId, Count, pageQuery, Pagination, Timestamp, wire } from './wire.js';

/** Ends an agent's open sessions, or the one of a conversation: the next turn starts afresh. Errors: NOT_FOUND. */
export const resetSessions = request('runtime.session.reset', {
  input: wire({ agentId: AgentId, conversationId: z.string().min(1).max(300).optional() }),
  output: wire({ sessionsEnded: Count }),
});

export const ModelEntry = wire({
  /** What `configuration.model` takes. */
  id: z.string(),
  provider: z.string(),
  name: z.string(),
  isDefault: z.boolean(),
});

/** The models that an account's agents can use without a key of their own. A provider that does not answer in time is left out, with a note. */
export const listModels = request('runtime.model.list', {
  input: wire({}),
  output: wire({ models: z.array(ModelEntry), notes: z.array(z.string()) }),
  timeoutMs: 10_000,
});

/** Why no turn could use a model of these names, null where one may or the provider's list is not known; for who sets them. */
export const checkModels = request('runtime.model.check', {
  input: wire({ models: z.array(z.string()).max(10), providerKeys: z.partialRecord(Provider, z.string()) }),
  output: wire({ problems: z.array(z.string().nullable()) }),
  timeoutMs: 6_000,
});

const McpServerId = z.uuid();
const McpName = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be 1 to 64 letters, digits, _ or -');
const Headers = z
  .record(z.string().min(1).max(200), z.string().max(8_192))
  .refine((headers) => Object.keys(headers).length <= 50, 'at most 50 headers');

/** Remote: `url`. In each agent's workspace: `command`. Exactly one of them. */
const mcpServerFields = {
  name: McpName,
  url: z.string().max(2_048).optional(),
  headers: Headers.optional(),
  transport: z.enum(['http', 'sse']).optional(),
  command: z.string().min(1).max(4_096).optional(),
  args: z.array(z.string().max(4_096)).max(100).optional(),
  env: z.record(z.string(), z.string().max(32_768)).optional(),
};
export const NewMcpServer = wire(mcpServerFields);
export type NewMcpServer = z.output<typeof NewMcpServer>;

export const McpToolInfo = wire({ name: z.string(), description: z.string().nullable() });

const McpStatus = z.enum(['unknown', 'connected', 'failed', 'needs_authorization']);

/** Headers, environment and tokens are never returned: only their names, and whether there are any. */
export const McpServer = wire({
  id: McpServerId,
  name: z.string(),
  url: z.string().nullable(),
  command: z.string().nullable(),
  args: z.array(z.string()),
  transport: z.enum(['http', 'sse', 'stdio']).nullable(),
  headerNames: z.array(z.string()),
  envNames: z.array(z.string()),
  status: McpStatus,
  statusReason: z.string().nullable(),
  isAuthorized: z.boolean(),
  tools: z.array(McpToolInfo),
  toolsRefreshedAt: Timestamp.nullable(),
  createdAt: Timestamp,
  updatedAt: Timestamp,
});
export type McpServer = z.output<typeof McpServer>;

const byId = wire({ serverId: McpServerId });

/** Errors: VALIDATION_ERROR (also for an address that may not be called), ALREADY_EXISTS (the name). */
export const createMcpServer = request('runtime.mcp.create', { input: NewMcpServer, output: McpServer });
export const listMcpServers = request('runtime.mcp.list', {
  input: wire({ ...pageQuery }),
  output: wire({ servers: z.array(McpServer), pagination: Pagination }),
});
/** Errors of all below: NOT_FOUND, also for another account's server. */
export const getMcpServer = request('runtime.mcp.get', { input: byId, output: McpServer });
/** Replaces the whole configuration. A changed address forgets the authorisation. */
export const updateMcpServer = request('runtime.mcp.update', {
  input: wire({ serverId: McpServerId, ...mcpServerFields }),
  output: McpServer,
});
export const deleteMcpServer = request('runtime.mcp.delete', { input: byId, output: wire({ id: McpServerId }) });

/** Connects and reads the tools anew. For a server in workspaces it returns only what agents have last seen. */
export const refreshMcpTools = request('runtime.mcp.refresh', { input: byId, output: McpServer, timeoutMs: 30_000 });
/**
 * What the last try found: now for a server with a `url`, an agent's last turn for one in workspaces. Never tried is
 * `unknown`, and not healthy.
 */
export const McpHealth = wire({
  id: McpServerId,
  healthy: z.boolean(),
  /** `needs_authorization`: nothing but its owner's OAuth authorization helps; `mcp.authorization_needed` was published. */
  status: McpStatus,
  statusReason: z.string().nullable(),
  latencyMs: Count.nullable(),
  /** The last lines that a failed server in a workspace wrote to its stderr; secrets masked. */
  stderrTail: z.string().nullable().default(null),
  /** Null when it was never tried. */
  checkedAt: Timestamp.nullable(),
});
export const checkMcpHealth = request('runtime.mcp.health', { input: byId, output: McpHealth, timeoutMs: 20_000 });

/** Where the user is to be sent to grant access (OAuth 2.1, PKCE). Errors: CONFLICT when the server asks for no authorisation. */
export const authorizeMcpServer = request('runtime.mcp.oauth.authorize', {
  input: wire({ serverId: McpServerId, redirectUri: z.url().max(2_048).optional() }),
  output: wire({ authorizationUrl: z.string(), state: z.string() }),
  timeoutMs: 30_000,
});
/** Errors: VALIDATION_ERROR for a state that is not the last one given out, was used, or is older than ten minutes. */
export const completeMcpAuthorization = request('runtime.mcp.oauth.callback', {
  input: wire({ serverId: McpServerId, code: z.string().min(1).max(4_096), state: z.string().min(1).max(500) }),
  output: McpServer,
  timeoutMs: 30_000,
});

export const McpAccess = wire({
  agentId: AgentId,
  accessMode: z.enum(['all', 'selected']),
  tools: z.array(z.string()),
  createdAt: Timestamp,
});
/** Errors: NOT_FOUND (server or agent). */
export const grantMcpAccess = request('runtime.mcp.access.grant', {
  input: wire({
    serverId: McpServerId,
    agentId: AgentId,
    accessMode: z.enum(['all', 'selected']).default('all'),
    tools: z.array(z.string().min(1).max(200)).max(200).default([]),
  }),
  output: McpAccess,
});
export const listMcpAccess = request('runtime.mcp.access.list', {
  input: byId,
  output: wire({ access: z.array(McpAccess) }),
});
export const revokeMcpAccess = request('runtime.mcp.access.revoke', {
  input: wire({ serverId: McpServerId, agentId: AgentId }),
  output: wire({ id: McpServerId, agentId: AgentId }),
});

/** The registry's servers that an agent may use, as `GET /v1/agent/{id}` shows them. */
export const listAgentMcpServers = request('runtime.mcp.for-agent', {
  input: wire({ agentId: AgentId }),
  output: wire({
    servers: z.array(wire({ id: z.string(), name: z.string(), accessMode: z.string(), status: z.string() })),
  }),
});

/** How many of the registry's servers each agent may use, for lists and summaries; agents without any are absent. */
export const countMcpServers = request('runtime.mcp.count', {
  input: wire({ agentIds: z.array(AgentId).max(100) }),
  output: wire({ counts: z.record(z.string(), Count) }),
});

/** A provider refuses a key that an agent needs; once until a turn of the agent succeeds again. The message names the key. */
export const agentKeyRefused = event(
  'runtime.agent.key-refused',
  wire({
    agentId: AgentId,
    accountId: AccountId,
    code: z.literal('MODEL_KEY_REFUSED'),
    message: z.string(),
    occurredAt: Timestamp,
  }),
);

/** A server of the registry needs its owner's OAuth authorization; once until it can be used again. */
export const mcpAuthorizationNeeded = event(
  'runtime.mcp.authorization-needed',
  wire({
    serverId: McpServerId,
    accountId: AccountId,
    name: z.string(),
    reason: z.string(),
    occurredAt: Timestamp,
  }),
);
