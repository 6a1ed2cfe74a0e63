import type { McpServerConfig } from '#lib/contracts';
import { createHash } from 'node:crypto';
import type { OAuthClient } from './registry/oauth-client.js';

/** One MCP server as a turn may use it. */
export interface McpTarget {
  /** Names its tools: `name__tool`. */
  name: string;
  config: McpServerConfig;
  /** Whose connection it is: servers of the account's registry are shared by its agents, an agent's own are not. */
  owner: string;
  /** The workspace that a stdio server runs in. */
  agentId: string;
  accountId: string;
  auth?: OAuthClient | undefined;
  /** null: all tools; else only these. */
  allowedTools: string[] | null;
  /** Of the registry; absent for an agent's own. */
  serverId?: string;
}

/** Same key, same connection: a changed configuration gets a new one. */
export function targetKey({ owner, config, agentId, name }: McpTarget): string {
  const workspace = 'command' in config ? agentId : '';
  return createHash('sha256')
    .update(JSON.stringify([owner, workspace, name, config]))
    .digest('base64url');
}
