import { type AgentState, type AgentStatus, RoostError } from '#lib/contracts';
import { type SealedKeys, sealedKeysOf } from '../provider-keys/account-provider-keys.js';
import type { OpenConfiguration } from './agent-secrets.js';

/** A row of `agents` as Postgres gives it: bigint as text. */
export interface AgentRow {
  id: string;
  account_id: string;
  name: string;
  description: string | null;
  status: AgentStatus;
  status_reason: string | null;
  revision: string;
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

/** A database or a transaction on it. */
export interface Queries {
  query<T extends object>(sql: string, parameters?: unknown[]): Promise<T[]>;
}

export interface AgentKey {
  agentId: string;
  /** The tenant who asks; null for a service on its own behalf, which may see every agent. */
  accountId: string | null;
}

/** Errors: NOT_FOUND, the same for another account's agent as for one that never was. */
export async function findAgent(queries: Queries, key: AgentKey): Promise<AgentRow> {
  return load(queries, key);
}

/** The same with its account's provider keys. */
export function findAgentAndKeys(queries: Queries, key: AgentKey): Promise<AgentRow & { account_keys: SealedKeys }> {
  return load(queries, key, `*, ${sealedKeysOf('agents.account_id')} AS account_keys`);
}

/** The same, locked until the transaction ends: changes of one agent happen one after the other. */
export async function lockAgent(queries: Queries, key: AgentKey): Promise<AgentRow> {
  return load(queries, key, '*', 'FOR UPDATE');
}

async function load<Row extends AgentRow>(
  queries: Queries,
  { agentId, accountId }: AgentKey,
  columns = '*',
  lock = '',
): Promise<Row> {
  const [row] = await queries.query<Row>(
    `SELECT ${columns} FROM agents WHERE id = $1 AND ($2::uuid IS NULL OR account_id = $2) ${lock}`,
    [agentId, accountId],
  );
  if (!row) throw new RoostError('NOT_FOUND', 'there is no such agent');
  return row;
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
