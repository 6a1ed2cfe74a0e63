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

/** As PostgreSQL writes it: what happened within a millisecond has an order too. */
export async function databaseTime(queries: Queries): Promise<string> {
  const [row] = await queries.query<{ now: string }>(`SELECT now()::text AS now`);
  return row?.now ?? '-infinity';
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

interface Others {
  used: number;
  /** When `used` reaches the limit, those unused for so long: least recently used first, those meant never to sleep last. */
  idle: string[];
}

/** The account's others, in one statement: what is idle is among those that were counted, whatever is renewed meanwhile. */
export async function findOthersAwake(
  tx: Transaction,
  agent: Agent,
  limit: number,
  { minIdleMs, maxIdle }: { minIdleMs: number; maxIdle: number },
): Promise<Others> {
  const [row] = await tx.query<Others>(
    `WITH others AS MATERIALIZED (
       SELECT agent_id, is_running, used_until FROM awake_workspaces
       WHERE account_id = $1 AND agent_id <> $2 AND ${COUNTS}
     ), counted AS (SELECT count(*)::int AS used FROM others)
     SELECT used, CASE WHEN used < $3 THEN '{}' ELSE ARRAY(
       SELECT agent_id FROM others LEFT JOIN agents ON id = agent_id
       WHERE is_running AND used_until < now() - ${minIdleMs} * interval '1 millisecond'
       ORDER BY warmth_window_ms IS NULL, used_until LIMIT ${maxIdle}
     ) END AS idle FROM counted`,
    [agent.account_id, agent.id, limit],
  );
  return row ?? { used: 0, idle: [] };
}

/**
 * The lease of one that starts when `evicted` sleep. Returns all that must sleep before: those as well that another
 * replica, which starts the same one, has not put to sleep yet.
 */
export async function insertLease(
  tx: Transaction,
  agent: Agent,
  evicted: string[],
  leaseMs: number,
): Promise<string[]> {
  const [row] = await tx.query<{ starts_after: string[] }>(
    `INSERT INTO awake_workspaces AS known (agent_id, account_id, starts_after, expires_at)
     VALUES ($1, $2, $3, ${expiry(leaseMs)})
     ON CONFLICT (agent_id) DO UPDATE SET is_running = false, running_since = NULL, used_until = excluded.used_until,
       expires_at = excluded.expires_at,
       starts_after = CASE WHEN known.is_running THEN '{}' ELSE known.starts_after END || excluded.starts_after
     RETURNING starts_after`,
    [agent.id, agent.account_id, evicted],
  );
  return row?.starts_after ?? evicted;
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
    `UPDATE awake_workspaces SET is_running = true, running_since = now(), starts_after = '{}',
       used_until = GREATEST(used_until, now() + $2 * interval '1 millisecond'), expires_at = ${expiry(leaseMs)} WHERE agent_id = $1 RETURNING agent_id`,
    [agentId, startGraceMs],
  );
  return rows.length > 0;
}

export async function deleteLeases(queries: Queries, agentIds: string[]): Promise<void> {
  await queries.query(`DELETE FROM awake_workspaces WHERE agent_id = ANY($1)`, [agentIds]);
}

export async function deleteStarting(queries: Queries, agentId: string): Promise<void> {
  await queries.query(`DELETE FROM awake_workspaces WHERE agent_id = $1 AND NOT is_running`, [agentId]);
}

/**
 * Of workspaces that did not run any more at some time after `since`. A lease of one that was started again since then
 * stays, and so does one that was taken for its next start.
 */
export async function deleteEnded(queries: Queries, agentIds: string[], since: string): Promise<void> {
  await queries.query(
    `DELETE FROM awake_workspaces WHERE agent_id = ANY($1) AND is_running
       AND COALESCE(running_since, '-infinity') < $2::timestamptz`,
    [agentIds, since],
  );
}

/** Renews leases of workspaces that ran at some time after `seenAt`, and makes those that are missing. */
export async function renewRunning(
  queries: Queries,
  running: SeenRunning[],
  seenAt: string,
  leaseMs: number,
): Promise<void> {
  await queries.query(
    `INSERT INTO awake_workspaces AS known (agent_id, account_id, is_running, running_since, used_until, expires_at)
     SELECT id, account_id, true, $4::timestamptz, now() - since_ms * interval '1 millisecond', ${expiry(leaseMs)}
     FROM unnest($1::uuid[], $2::float8[]) AS seen (agent_id, since_ms) JOIN agents ON id = seen.agent_id
     ON CONFLICT (agent_id) DO UPDATE SET is_running = true,
       running_since = COALESCE(known.running_since, excluded.running_since), expires_at = excluded.expires_at,
       used_until = CASE WHEN known.agent_id = ANY($3) THEN excluded.used_until
         ELSE GREATEST(known.used_until, excluded.used_until) END`,
    [
      running.map(({ agentId }) => agentId),
      running.map(({ sinceUseMs }) => sinceUseMs),
      running.filter(({ isReported }) => isReported).map(({ agentId }) => agentId),
      seenAt,
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
