import type { AgentConfiguration, AgentState, AgentStatus } from '#lib/contracts';

/** The part of the configuration that holds no secret. */
export type OpenConfiguration = Omit<AgentConfiguration, 'customEnv' | 'mcpServers'>;

/** A row of `agents` as Postgres returns it: bigint as text. */
export interface AgentRow {
  id: string;
  account_id: string;
  name: string;
  description: string | null;
  status: AgentStatus;
  status_reason: string | null;
  revision: string;
  /** Of its configuration. */
  version: number;
  pvc_size: string;
  session_mode: 'ephemeral' | 'persistent';
  warmth_window_ms: number | null;
  output_token_balance: string;
  total_output_tokens_used: string;
  system_prompt: string | null;
  system_prompt_type: 'replace' | 'append';
  configuration: OpenConfiguration;
  secrets: string;
  /** Platforms on which it has a bot of its own. */
  bots: string[];
  mcp_server_count: number;
  volume_files: string | null;
  volume_bytes: string | null;
  volume_modified_at: Date | null;
  created_at: Date;
  updated_at: Date;
}

export interface AgentKey {
  agentId: string;
  /** The tenant who asks; null for a service on its own behalf, which may see every agent. */
  accountId: string | null;
}

/** What other services must know. */
export function stateOf(row: AgentRow): AgentState {
  return {
    agentId: row.id,
    accountId: row.account_id,
    status: row.status,
    isExhausted: isExhausted(row),
    revision: Number(row.revision),
  };
}

export function isExhausted(row: Pick<AgentRow, 'output_token_balance'>): boolean {
  return row.output_token_balance === '0';
}
