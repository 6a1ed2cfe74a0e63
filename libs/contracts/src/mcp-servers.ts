import { z } from 'zod';
import { event, request } from './request.js';
import { AccountId, AgentId, Count, pageQuery, Pagination, Timestamp, wire } from './wire.js';

const McpServerId = z.uuid().describe('The server’s id, a UUID.');
const McpName = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be 1 to 64 letters, digits, _ or -')
  .describe(
    'Its name, one of its kind in the account: 1 to 64 letters, digits, `_`, `-`. Tools are called `name__tool`.',
  );
const Headers = z
  .record(z.string().min(1).max(200), z.string().max(8_192))
  .refine((headers) => Object.keys(headers).length <= 50, 'at most 50 headers');

/** Remote: `url`. In each agent's workspace: `command`. Exactly one of them. */
const mcpServerFields = {
  name: McpName,
  url: z.string().max(2_048).optional().describe('Where it is. Either this, or `command`.'),
  headers: Headers.optional().describe(
    'Headers of every call to it: at most 50. Sealed; only their names are returned. `${vault.NAME}` in a value is a secret of the vault, which is put in only for its own hosts.',
  ),
  transport: z
    .enum(['http', 'sse'])
    .optional()
    .describe(
      '`http`: Streamable HTTP. `sse`: the older HTTP with SSE. Without it the first, and the second where the first is not known.',
    ),
  command: z
    .string()
    .min(1)
    .max(4_096)
    .optional()
    .describe(
      'The program that speaks MCP over stdio, in the workspace of each agent that uses it. Either this, or `url`.',
    ),
  args: z.array(z.string().max(4_096)).max(100).optional().describe('Arguments of `command`.'),
  env: z
    .record(z.string(), z.string().max(32_768))
    .optional()
    .describe('Environment of `command`. Sealed; only the names are returned, but the agents can read it.'),
};
export const NewMcpServer = wire(mcpServerFields).meta({
  id: 'NewMcpServer',
  description: 'An MCP server: by `url` or by `command`, exactly one of them.',
});
export type NewMcpServer = z.output<typeof NewMcpServer>;

export const McpToolInfo = wire({
  name: z.string().describe('Its name on the server.'),
  description: z.string().nullable().describe('What the server says that it does.'),
}).meta({ id: 'McpTool', description: 'A tool of an MCP server.' });

const McpStatus = z.enum(['unknown', 'connected', 'failed', 'needs_authorization']).meta({
  id: 'McpStatus',
  description:
    '`unknown`: not tried since it was registered or changed. `connected`: it answered. `failed`: it could not be used. `needs_authorization`: only its owner can grant access again.',
});
const statusReason = z.string().nullable().describe('Why, where there is a reason; secrets are masked.');

/** Headers, environment and tokens are never returned: only their names, and whether there are any. */
export const McpServer = wire({
  id: McpServerId,
  name: z.string().describe('Its name.'),
  url: z.string().nullable().describe('Where it is; null when it runs in workspaces.'),
  command: z.string().nullable().describe('The program that is started in workspaces; null when it has a `url`.'),
  args: z.array(z.string()).describe('Arguments of `command`.'),
  transport: z.enum(['http', 'sse', 'stdio']).nullable().describe('How it is spoken to; null before that is known.'),
  headerNames: z.array(z.string()).describe('Names of its headers, never their values.'),
  envNames: z.array(z.string()).describe('Names of its environment, never the values.'),
  status: McpStatus,
  statusReason,
  isAuthorized: z.boolean().describe('Whether there are OAuth tokens for it.'),
  tools: z.array(McpToolInfo).describe('The tools it had when they were last read.'),
  toolsRefreshedAt: Timestamp.nullable().describe('When they were last read; null before the first time.'),
  createdAt: Timestamp.describe('When it was registered.'),
  updatedAt: Timestamp.describe('When it was last changed.'),
}).meta({ id: 'McpServer', description: 'A server of the account’s registry, without its secrets.' });
export type McpServer = z.output<typeof McpServer>;

const byId = wire({ serverId: McpServerId });

/** Errors: VALIDATION_ERROR (also for an address that may not be called), ALREADY_EXISTS (the name). */
export const createMcpServer = request('runtime.mcp.create', { input: NewMcpServer, output: McpServer });
export const listMcpServers = request('runtime.mcp.list', {
  input: wire({ ...pageQuery }),
  output: wire({ servers: z.array(McpServer).describe('The servers of this page.'), pagination: Pagination }),
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
  healthy: z.boolean().describe('Whether it could be used: `status` is `connected`.'),
  status: McpStatus,
  statusReason,
  latencyMs: Count.nullable().describe('How long it took to answer, in milliseconds; null when it was not asked now.'),
  stderrTail: z
    .string()
    .nullable()
    .describe('The last lines that a failed server in a workspace wrote to its stderr; secrets are masked.')
    .default(null),
  checkedAt: Timestamp.nullable().describe('When it was tried; null when it never was.'),
}).meta({ id: 'McpHealth', description: 'What the last try of a server found.' });
export const checkMcpHealth = request('runtime.mcp.health', { input: byId, output: McpHealth, timeoutMs: 20_000 });

export const authorizeQuery = {
  redirectUri: z
    .url()
    .max(2_048)
    .optional()
    .describe(
      'The page of yours that the browser comes back to with `code` and `state`. Without it: a page of this gateway that shows them.',
    ),
};
export const authorizationCode = {
  code: z.string().min(1).max(4_096).describe('What the browser came back with.'),
  state: z.string().min(1).max(500).describe('The `state` that came with it: that of the address which was opened.'),
};

/** Where the user is to be sent to grant access (OAuth 2.1, PKCE). Errors: CONFLICT when the server asks for no authorisation. */
export const authorizeMcpServer = request('runtime.mcp.oauth.authorize', {
  input: wire({ serverId: McpServerId, ...authorizeQuery }),
  output: wire({
    authorizationUrl: z.string().describe('The address to open in a browser, where access is granted.'),
    state: z.string().describe('Comes back with the code. Good for ten minutes and once.'),
  }),
  timeoutMs: 30_000,
});
/** Errors: VALIDATION_ERROR for a state that is not the last one given out, was used, or is older than ten minutes. */
export const completeMcpAuthorization = request('runtime.mcp.oauth.callback', {
  input: wire({ serverId: McpServerId, ...authorizationCode }),
  output: McpServer,
  timeoutMs: 30_000,
});

const accessMode = z
  .enum(['all', 'selected'])
  .describe('Whether the agent may use `all` tools of the server, or those that `tools` names.');
export const McpAccess = wire({
  agentId: AgentId,
  accessMode,
  tools: z.array(z.string()).describe('Of `selected`: the tools it may use.'),
  createdAt: Timestamp.describe('Since when.'),
}).meta({ id: 'McpAccess', description: 'That an agent may use a server.' });

export const grantFields = {
  agentId: AgentId,
  accessMode: accessMode.default('all'),
  tools: z
    .array(z.string().min(1).max(200))
    .max(200)
    .default([])
    .describe('Of `selected`: names of tools, as the server calls them.'),
};
/** Errors: NOT_FOUND (server or agent). */
export const grantMcpAccess = request('runtime.mcp.access.grant', {
  input: wire({ serverId: McpServerId, ...grantFields }),
  output: McpAccess,
});
export const listMcpAccess = request('runtime.mcp.access.list', {
  input: byId,
  output: wire({ access: z.array(McpAccess).describe('One per agent that may use the server.') }),
});
export const revokeMcpAccess = request('runtime.mcp.access.revoke', {
  input: wire({ serverId: McpServerId, agentId: AgentId }),
  output: wire({ id: McpServerId, agentId: AgentId }),
});

const serverHealth = {
  status: z
    .string()
    .describe(
      'How it is doing: the `status` of its health. Of one in the agent’s configuration: `configured` before the first turn, then `connected` or `failed`, as the last turn found it.',
    ),
  reason: z
    .string()
    .nullable()
    .default(null)
    .describe('Why it cannot be used; null when it can, or is not known to fail.'),
  checkedAt: Timestamp.nullable().default(null).describe('When that was found; null before.'),
};
export const AgentMcpServer = wire({
  id: z.string().describe('The server’s id; of one in the agent’s configuration its name.'),
  name: z.string().describe('Its name.'),
  accessMode: z.string().describe('`all` of its tools, or `selected` ones.'),
  ...serverHealth,
}).meta({
  id: 'AgentMcpServer',
  description: 'An MCP server that an agent may use: of the account’s registry, or of its own configuration.',
});

/** The registry's servers that an agent may use, as `GET /v1/agent/{id}` shows them. */
export const listAgentMcpServers = request('runtime.mcp.for-agent', {
  input: wire({ agentId: AgentId }),
  output: wire({
    servers: z.array(AgentMcpServer),
    /** Of its own configuration, or of an earlier one, by name. */
    own: z.array(wire({ name: z.string(), ...serverHealth })).default([]),
  }),
});

/** How many of the registry's servers each agent may use, for lists and summaries; agents without any are absent. */
export const countMcpServers = request('runtime.mcp.count', {
  input: wire({ agentIds: z.array(AgentId).max(100) }),
  output: wire({ counts: z.record(z.string(), Count) }),
});

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
