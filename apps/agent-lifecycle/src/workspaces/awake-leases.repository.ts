import type { Queries, Transaction } from '#lib/database';
import type { AgentRow } from '../agents/agent-row.js';

export interface SeenRunning {
  agentId: string;
  /** Negative while it is used, by how long that may take. */
  sinceUseMs: number;
  /** The workspace itself reported its use; otherwise what another replica wrote stays. */
  isReported: boolean;
}

type Agent = Pick<AgentRow, 'id' | 'account_id'>;

/** A lease that nobody renews counts no more. */
const COUNTS = 'expires_at > now()';
const expiry = (leaseMs: number) => `now() + ${leaseMs} * interval '1 millisecond'`;

/** All SQL of `awake_workspaces`: a row is the lease of a workspace that runs or starts. Times are the database's. */

export async function databaseTime(queries: Queries): Promise<Date> {
  const [row] = await queries.query<{ now: Date }>(`SELECT now()`);
  return row?.now ?? new Date(0);
}

/** Until the transaction ends, no other of this account gets past here: what follows sees what was committed before. */
export async function lockAwakeOf(tx: Transaction, accountId: string): Promise<void> {
  await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended('awake ' || $1, 0))`, [accountId]);
}

export async function countAwake(queries: Queries, accountId: string): Promise<number> {
  const [row] = await queries.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM awake_workspaces WHERE account_id = $1 AND ${COUNTS}`,
    [accountId],
  );
  return row?.count ?? 0;
}

/** Of all accounts. */
export async function countAllAwake(queries: Queries): Promise<number> {
  const [row] = await queries.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM awake_workspaces WHERE ${COUNTS}`,
  );
  return row?.count ?? 0;
}

export async function countOthersAwake(tx: Transaction, agent: Agent): Promise<number> {
  const [row] = await tx.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM awake_workspaces WHERE account_id = $1 AND agent_id <> $2 AND ${COUNTS}`,
    [agent.account_id, agent.id],
  );
  return row?.count ?? 0;
}

/** Of the account's others, those unused for so long: least recently used first, those meant never to sleep last. */
export async function findIdleOthers(
  tx: Transaction,
  agent: Agent,
  minIdleMs: number,
  limit: number,
): Promise<string[]> {
  const rows = await tx.query<{ agent_id: string }>(
    `SELECT agent_id FROM awake_workspaces LEFT JOIN agents ON id = agent_id
     WHERE awake_workspaces.account_id = $1 AND agent_id <> $2 AND ${COUNTS} AND is_running
       AND used_until < now() - ${minIdleMs} * interval '1 millisecond'
     ORDER BY warmth_window_ms IS NULL, used_until LIMIT ${limit}`,
    [agent.account_id, agent.id],
  );
  return rows.map(({ agent_id: agentId }) => agentId);
}

export async function insertLease(tx: Transaction, agent: Agent, leaseMs: number): Promise<void> {
  await tx.query(
    `INSERT INTO awake_workspaces (agent_id, account_id, expires_at) VALUES ($1, $2, ${expiry(leaseMs)})
     ON CONFLICT (agent_id) DO UPDATE SET is_running = false, expires_at = excluded.expires_at`,
    [agent.id, agent.account_id],
  );
}

export async function hasLease(queries: Queries, agentId: string): Promise<boolean> {
  const rows = await queries.query(`SELECT 1 FROM awake_workspaces WHERE agent_id = $1 AND ${COUNTS}`, [agentId]);
  return rows.length > 0;
}

/** Of a workspace that runs now. False: there is none. */
export async function extendLease(
  queries: Queries,
  agentId: string,
  startGraceMs: number,
  leaseMs: number,
): Promise<boolean> {
  const rows = await queries.query(
    `UPDATE awake_workspaces SET is_running = true, used_until = now() + $2 * interval '1 millisecond',
       expires_at = ${expiry(leaseMs)} WHERE agent_id = $1 RETURNING agent_id`,
    [agentId, startGraceMs],
  );
  return rows.length > 0;
}

export async function deleteLeases(queries: Queries, agentIds: string[]): Promise<void> {
  await queries.query(`DELETE FROM awake_workspaces WHERE agent_id = ANY($1)`, [agentIds]);
}

/** A lease that was taken meanwhile for the next start stays. */
export async function deleteRunningLease(queries: Queries, agentId: string): Promise<void> {
  await queries.query(`DELETE FROM awake_workspaces WHERE agent_id = $1 AND is_running`, [agentId]);
}

/** Of what is no longer running, unless it was renewed since `seenAt`. */
export async function deleteNotSeen(
  queries: Queries,
  agentIds: string[],
  seenAt: Date,
  leaseMs: number,
): Promise<void> {
  await queries.query(
    `DELETE FROM awake_workspaces WHERE agent_id = ANY($1) AND is_running
       AND expires_at < $2::timestamptz + ${leaseMs} * interval '1 millisecond'`,
    [agentIds, seenAt],
  );
}

/** Renews leases, and makes those that are missing. */
export async function renewRunning(queries: Queries, running: SeenRunning[], leaseMs: number): Promise<void> {
  await queries.query(
    `INSERT INTO awake_workspaces AS known (agent_id, account_id, is_running, used_until, expires_at)
     SELECT id, account_id, true, now() - since_ms * interval '1 millisecond', ${expiry(leaseMs)}
     FROM unnest($1::uuid[], $2::float8[]) AS seen (agent_id, since_ms) JOIN agents ON id = seen.agent_id
     ON CONFLICT (agent_id) DO UPDATE SET is_running = true, expires_at = excluded.expires_at, used_until = CASE
       WHEN known.agent_id = ANY($3) THEN excluded.used_until ELSE GREATEST(known.used_until, excluded.used_until) END`,
    [
      running.map(({ agentId }) => agentId),
      running.map(({ sinceUseMs }) => sinceUseMs),
      running.filter(({ isReported }) => isReported).map(({ agentId }) => agentId),
    ],
  );
}

export async function renewStarting(queries: Queries, agentIds: string[], leaseMs: number): Promise<void> {
  await queries.query(
    `UPDATE awake_workspaces SET expires_at = ${expiry(leaseMs)} WHERE agent_id = ANY($1) AND NOT is_running`,
    [agentIds],
  );
}

export async function deleteExpired(queries: Queries): Promise<void> {
  await queries.query(`DELETE FROM awake_workspaces WHERE expires_at < now()`);
}
