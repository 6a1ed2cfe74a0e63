import { type AgentStatus, type ListAgents, quantityBytes, RoostError } from '#lib/contracts';
import type { Queries, Transaction } from '#lib/database';
import { inBatches, SWEEP_BATCH } from '#lib/sweeps';
import type { z } from 'zod';
import { BUDGET_STATE } from '../budgets/budgets.repository.js';
import { type SealedKeys, sealedKeysOf } from '../provider-keys/provider-keys.repository.js';
import type { AgentKey, AgentRow } from './agent-row.js';

type Columns = Partial<Record<keyof AgentRow, unknown>>;
type Page = Pick<z.output<typeof ListAgents>, 'page' | 'limit' | 'status' | 'sort' | 'order'>;

/** An initial file that waits until it is in the workspace. */
export interface PendingFile {
  position: number;
  path: string;
  content: Buffer;
}

/** All SQL of `agents`, `pending_files` and `deleted_agents`. */

/** Errors: NOT_FOUND, the same for another account's agent as for one that never existed. */
export function findAgent(queries: Queries, key: AgentKey): Promise<AgentRow> {
  return load(queries, key);
}

/** The same with its account's provider keys, in one statement: it is read for every turn. */
export function findAgentWithProviderKeys(
  queries: Queries,
  key: AgentKey,
): Promise<AgentRow & { account_keys: SealedKeys; budget: unknown }> {
  return load(queries, key, `*, ${sealedKeysOf('agents.account_id')} AS account_keys, ${BUDGET_STATE} AS budget`);
}

/** The same, locked until the transaction ends: changes of one agent happen one after the other. */
export function lockAgent(tx: Transaction, key: AgentKey): Promise<AgentRow> {
  return load(tx, key, '*', 'FOR UPDATE');
}

/** Of any account; undefined when there is none. For the service's own work. */
export async function findAnyAgent(queries: Queries, agentId: string): Promise<AgentRow | undefined> {
  const [agent] = await queries.query<AgentRow>(`SELECT * FROM agents WHERE id = $1`, [agentId]);
  return agent;
}

export async function findExisting(queries: Queries, agentIds: string[]): Promise<string[]> {
  const rows = await queries.query<{ id: string }>(`SELECT id FROM agents WHERE id = ANY($1::uuid[])`, [agentIds]);
  return rows.map(({ id }) => id);
}

/** Agents of an account by their names, at most 10 of each, and by their ids. */
export async function findNamed(
  queries: Queries,
  accountId: string,
  { names, ids }: { names: string[]; ids: string[] },
): Promise<AgentRow[]> {
  const named = await queries.query<AgentRow>(
    `SELECT found.* FROM unnest($2::text[]) AS wanted (name) CROSS JOIN LATERAL (
       SELECT * FROM agents WHERE account_id = $1 AND agents.name = wanted.name ORDER BY id LIMIT 10) found`,
    [accountId, names],
  );
  const others = ids.filter((id) => !named.some((row) => row.id === id));
  if (others.length === 0) return named;
  const rows = await queries.query<AgentRow>(`SELECT * FROM agents WHERE account_id = $1 AND id = ANY($2::uuid[])`, [
    accountId,
    others,
  ]);
  return [...named, ...rows];
}

/** Errors: CONFLICT when an agent of the account has the name. */
export async function requireFreeName(queries: Queries, accountId: string, name: string): Promise<void> {
  const [taken] = await queries.query<{ id: string }>(
    `SELECT id FROM agents WHERE account_id = $1 AND name = $2 LIMIT 1`,
    [accountId, name],
  );
  if (!taken) return;
  throw new RoostError('CONFLICT', `an agent called "${name}" was made meanwhile (${taken.id}): apply again`, [
    { reason: 'name_taken', id: taken.id },
  ]);
}

/** What the reconcile loop compares workspaces with, of those agents that exist. */
export function findWanted(
  queries: Queries,
  agentIds: string[],
): Promise<Pick<AgentRow, 'id' | 'status' | 'warmth_window_ms' | 'revision'>[]> {
  return queries.query(`SELECT id, status, warmth_window_ms, revision FROM agents WHERE id = ANY($1)`, [agentIds]);
}

/**
 * One page of an account's agents, and how many there are in all. The page is found in the index alone, which has what it
 * is sorted by: of those before it no row is read.
 */
export async function pageOfAgents(queries: Queries, accountId: string, { page, limit, status, sort, order }: Page) {
  // `sort` and `order` are values of the contract's enums, so that they may be part of the SQL.
  const those = `FROM agents WHERE account_id = $1 ${status === undefined ? '' : 'AND status = $2'}`;
  const of = status === undefined ? [accountId] : [accountId, status];
  const rows = await queries.query<AgentRow>(
    `SELECT id, name, description, status, created_at, updated_at, mcp_server_count FROM agents
     WHERE id = ANY(ARRAY(
       SELECT id ${those} ORDER BY ${sort} ${order}, id ${order} LIMIT $${of.length + 1} OFFSET $${of.length + 2}))
     ORDER BY ${sort} ${order}, id ${order}`,
    [...of, limit, (page - 1) * limit],
  );
  const [counted] = await queries.query<{ total: string }>(`SELECT count(*) AS total ${those}`, of);
  return { rows, total: Number(counted?.total ?? 0) };
}

/** Agents that have a bot of their own, in the order of their ids. */
export function findWithBots(queries: Queries, afterAgentId: string | null, limit: number): Promise<AgentRow[]> {
  return queries.query(
    `SELECT * FROM agents WHERE bots <> '{}' AND ($1::uuid IS NULL OR id > $1)
     ORDER BY id LIMIT $2`,
    [afterAgentId, limit],
  );
}

export async function insertAgent(tx: Transaction, columns: Columns): Promise<AgentRow> {
  const names = Object.keys(columns);
  const [agent] = await tx.query<AgentRow>(
    `INSERT INTO agents (${names.join(', ')}) VALUES (${names.map((_, index) => `$${index + 1}`).join(', ')}) RETURNING *`,
    Object.values(columns),
  );
  if (!agent) throw new Error('an inserted row was not returned');
  return agent;
}

export async function updateAgentRow(tx: Transaction, before: AgentRow, columns: Columns): Promise<AgentRow> {
  const assignments = Object.keys(columns).map((name, index) => `${name} = $${index + 2}`);
  const [agent = before] = await tx.query<AgentRow>(
    `UPDATE agents SET ${assignments.join(', ')}, revision = revision + 1, updated_at = now() WHERE id = $1 RETURNING *`,
    [before.id, ...Object.values(columns)],
  );
  return agent;
}

export async function setAgentStatus(
  tx: Transaction,
  before: AgentRow,
  status: AgentStatus,
  reason: string | null,
): Promise<AgentRow> {
  const [agent = before] = await tx.query<AgentRow>(
    `UPDATE agents SET status = $2, status_reason = $3, revision = revision + 1, updated_at = now()
     WHERE id = $1 RETURNING *`,
    [before.id, status, reason],
  );
  return agent;
}

export async function setVolumeUsage(
  queries: Queries,
  before: AgentRow,
  usage: { files: number; bytes: number; lastModified: Date | null },
): Promise<AgentRow> {
  const [agent = before] = await queries.query<AgentRow>(
    `UPDATE agents SET volume_files = $2, volume_bytes = $3, volume_modified_at = $4 WHERE id = $1 RETURNING *`,
    [before.id, usage.files, usage.bytes, usage.lastModified],
  );
  return agent;
}

/** Deletes the row with its ledger and waiting files, and records the deletion, by which its volume is removed. */
export async function deleteAgentRow(tx: Transaction, { id, account_id }: AgentRow): Promise<void> {
  await tx.query(`DELETE FROM agents WHERE id = $1`, [id]);
  await tx.query(`INSERT INTO deleted_agents (agent_id, account_id) VALUES ($1, $2)`, [id, account_id]);
}

/** The account's oldest agents, locked. */
export async function lockOldest(tx: Transaction, accountId: string, limit: number): Promise<string[]> {
  const agents = await tx.query<{ id: string }>(
    `SELECT id FROM agents WHERE account_id = $1 ORDER BY created_at, id LIMIT $2 FOR UPDATE`,
    [accountId, limit],
  );
  return agents.map(({ id }) => id);
}

export async function addPendingFiles(
  tx: Transaction,
  agentId: string,
  files: readonly Omit<PendingFile, 'position'>[],
): Promise<void> {
  for (const [position, file] of files.entries()) {
    await tx.query(`INSERT INTO pending_files (agent_id, position, path, content) VALUES ($1, $2, $3, $4)`, [
      agentId,
      position,
      file.path,
      file.content,
    ]);
  }
}

export async function nextPendingFile(queries: Queries, agentId: string): Promise<PendingFile | undefined> {
  const [file] = await queries.query<PendingFile>(
    `SELECT position, path, content FROM pending_files WHERE agent_id = $1 ORDER BY position LIMIT 1`,
    [agentId],
  );
  return file;
}

export async function removePendingFile(queries: Queries, agentId: string, { position }: PendingFile): Promise<void> {
  await queries.query(`DELETE FROM pending_files WHERE agent_id = $1 AND position = $2`, [agentId, position]);
}

/** Agents that may run and whose initial files still wait, e.g. since a restart. */
export async function findWithPendingFiles(queries: Queries, limit: number): Promise<string[]> {
  const waiting = await queries.query<{ id: string }>(
    `SELECT id FROM agents WHERE status IN ('active', 'paused')
       AND id IN (SELECT agent_id FROM pending_files) ORDER BY created_at LIMIT ${limit}`,
  );
  return waiting.map(({ id }) => id);
}

export interface VolumeToRemove {
  agentId: string;
  /** As PostgreSQL writes it: a Date has no microseconds, and would never pass those of one account. */
  deletedAt: string;
}

/** Deleted agents whose volume is still there, deleted after that one: a crash or a busy disk left it. */
export async function findVolumesToRemove(
  queries: Queries,
  limit: number,
  after?: VolumeToRemove,
): Promise<VolumeToRemove[]> {
  const deleted = await queries.query<{ agent_id: string; at: string }>(
    `SELECT agent_id, deleted_at::text AS at FROM deleted_agents WHERE volume_removed_at IS NULL
       AND deleted_at >= $1::timestamptz AND (deleted_at, agent_id) > ($1::timestamptz, $2::uuid) ORDER BY deleted_at, agent_id LIMIT ${limit}`,
    [after?.deletedAt ?? '-infinity', after?.agentId ?? '00000000-0000-0000-0000-000000000000'],
  );
  return deleted.map(({ agent_id, at }) => ({ agentId: agent_id, deletedAt: at }));
}

export async function recordVolumeRemoved(queries: Queries, agentId: string): Promise<void> {
  await queries.query(`UPDATE deleted_agents SET volume_removed_at = now() WHERE agent_id = $1`, [agentId]);
}

export async function sweepDeletedAgents(queries: Queries, signal?: AbortSignal): Promise<void> {
  const some = `
    DELETE FROM deleted_agents WHERE agent_id = ANY(ARRAY(
      SELECT agent_id FROM deleted_agents
      WHERE volume_removed_at < now() - interval '30 days' ORDER BY volume_removed_at LIMIT ${SWEEP_BATCH}))
    RETURNING 1`;
  await inBatches(() => queries.query(some), signal);
}

export async function countAgents(queries: Queries, accountId: string): Promise<number> {
  const [row] = await queries.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM agents WHERE account_id = $1`,
    [accountId],
  );
  return row?.count ?? 0;
}

/** What the volumes of the account's agents may hold, written or not: it is what they can come to without asking. */
export async function storedBytes(queries: Queries, accountId: string): Promise<number> {
  const sizes = await queries.query<{ pvc_size: string; count: number }>(
    `SELECT pvc_size, count(*)::int AS count FROM agents WHERE account_id = $1 GROUP BY pvc_size`,
    [accountId],
  );
  return sizes.reduce((sum, { pvc_size, count }) => sum + (quantityBytes(pvc_size) ?? 0) * count, 0);
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
