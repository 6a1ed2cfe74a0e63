import type { EgressUse } from '#lib/contracts';
import { newId, type Queries, type Transaction } from '#lib/database';
import type { AgentRow } from '../agents/agent-row.js';
import type { GrantRow, SecretRow } from './vault-row.js';

/** All SQL of `vault_grants`. */

const FROM = `FROM vault_grants g JOIN vault_secrets s ON s.id = g.secret_id`;
const SHOWN = `g.*, s.name AS secret`;
/** It is shown in a line. */
const MAX_REASON_CHARS = 300;

/** A grant with what the egress process has to know of its secret. */
export type WholeGrant = GrantRow &
  Pick<SecretRow, 'kind' | 'settings' | 'hosts' | 'methods' | 'path_prefixes' | 'placements' | 'sealed_value'>;

export async function insertGrant(
  tx: Transaction,
  grant: Pick<GrantRow, 'account_id' | 'secret_id' | 'agent_id' | 'env_name' | 'placeholder' | 'mode'>,
): Promise<GrantRow> {
  const [row] = await tx.query<GrantRow>(
    `WITH g AS (
       INSERT INTO vault_grants (id, account_id, secret_id, agent_id, env_name, placeholder, mode)
       VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING *)
     SELECT g.*, s.name AS secret FROM g JOIN vault_secrets s ON s.id = g.secret_id`,
    [newId(), grant.account_id, grant.secret_id, grant.agent_id, grant.env_name, grant.placeholder, grant.mode],
  );
  if (!row) throw new Error('an inserted row was not returned');
  return row;
}

export function listGrants(
  queries: Queries,
  accountId: string,
  by: { agentId: string } | { secretId: string },
): Promise<GrantRow[]> {
  const [column, id] = 'agentId' in by ? ['agent_id', by.agentId] : ['secret_id', by.secretId];
  return queries.query(
    `SELECT ${SHOWN} ${FROM} WHERE g.${column} = $2 AND g.account_id = $1 ORDER BY g.created_at, g.id`,
    [accountId, id],
  );
}

/** All grants of an agent, for its sandbox. */
export function grantsWithSecrets(queries: Queries, agentId: string): Promise<WholeGrant[]> {
  return queries.query(
    `SELECT ${SHOWN}, s.kind, s.settings, s.hosts, s.methods, s.path_prefixes, s.placements, s.sealed_value
     ${FROM} WHERE g.agent_id = $1 ORDER BY g.created_at, g.id`,
    [agentId],
  );
}

/** What is in the agent's environment in the place of secrets. */
export async function placeholdersOf(queries: Queries, agentId: string): Promise<Record<string, string>> {
  const rows = await queries.query<{ env_name: string; placeholder: string }>(
    `SELECT env_name, placeholder FROM vault_grants WHERE agent_id = $1 AND env_name IS NOT NULL ORDER BY env_name`,
    [agentId],
  );
  return Object.fromEntries(rows.map(({ env_name, placeholder }) => [env_name, placeholder]));
}

/** Whether a person is asked from now on. `hasChanged`: it was otherwise. Undefined: the agent has no such grant. */
export async function setMode(
  tx: Transaction,
  { accountId, agentId, grantId }: GrantKey,
  mode: GrantRow['mode'],
): Promise<{ row: GrantRow; hasChanged: boolean } | undefined> {
  const changed = await tx.query(
    `UPDATE vault_grants SET mode = $4 WHERE id = $1 AND agent_id = $2 AND account_id = $3 AND mode <> $4 RETURNING 1`,
    [grantId, agentId, accountId, mode],
  );
  const [row] = await tx.query<GrantRow>(
    `SELECT ${SHOWN} ${FROM} WHERE g.id = $1 AND g.agent_id = $2 AND g.account_id = $3`,
    [grantId, agentId, accountId],
  );
  return row && { row, hasChanged: changed.length > 0 };
}

export interface GrantKey {
  accountId: string;
  agentId: string;
  grantId: string;
}

/** Who is asked about a grant, and whether anybody is. Undefined: it was revoked. */
export async function grantToAsk(queries: Queries, grantId: string) {
  const [row] = await queries.query<
    Pick<GrantRow, 'account_id' | 'agent_id' | 'mode' | 'secret'> & Pick<AgentRow, 'configuration'>
  >(
    `SELECT g.account_id, g.agent_id, g.mode, s.name AS secret, a.configuration
     ${FROM} JOIN agents a ON a.id = g.agent_id WHERE g.id = $1`,
    [grantId],
  );
  return row;
}

export async function deleteGrantRow(
  tx: Transaction,
  accountId: string,
  agentId: string,
  grantId: string,
): Promise<void> {
  await tx.query(`DELETE FROM vault_grants WHERE id = $1 AND agent_id = $2 AND account_id = $3`, [
    grantId,
    agentId,
    accountId,
  ]);
}

export async function countGrants(queries: Queries, accountId: string): Promise<number> {
  const [row] = await queries.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM vault_grants WHERE account_id = $1`,
    [accountId],
  );
  return row?.count ?? 0;
}

/** Notes in an agent's row that its grants changed, so that no replica misses it. */
export async function touchAgent(tx: Transaction, agentId: string): Promise<AgentRow | undefined> {
  const [row] = await tx.query<AgentRow>(`UPDATE agents SET revision = revision + 1 WHERE id = $1 RETURNING *`, [
    agentId,
  ]);
  return row;
}

/** The secret of a grant that is not revoked. */
export async function secretOfGrant(
  queries: Queries,
  grantId: string,
): Promise<Pick<SecretRow, 'id' | 'name'> | undefined> {
  const [row] = await queries.query<Pick<SecretRow, 'id' | 'name'>>(`SELECT s.id, s.name ${FROM} WHERE g.id = $1`, [
    grantId,
  ]);
  return row;
}

/** Adds uses and refusals to grants and to their secrets. */
export async function recordUses(tx: Transaction, uses: readonly EgressUse[]): Promise<void> {
  const sums = [...sumsOf(uses).values()];
  // In one order everywhere: two replicas that lock them the other way round would wait for each other.
  await tx.query(
    `SELECT 1 FROM vault_secrets WHERE id IN (SELECT secret_id FROM vault_grants WHERE id = ANY($1::uuid[]))
     ORDER BY id FOR UPDATE`,
    [sums.map(({ id }) => id)],
  );
  await tx.query(
    `WITH sums AS (
       SELECT * FROM jsonb_to_recordset($1) AS sum
         (id uuid, uses int, used_at timestamptz, refusals int, refused_at timestamptz, refusal text)
     ), changed AS (
       UPDATE vault_grants g SET use_count = use_count + sums.uses, refusal_count = refusal_count + sums.refusals,
         last_used_at = greatest(g.last_used_at, sums.used_at),
         last_refused_at = greatest(g.last_refused_at, sums.refused_at),
         last_refusal = coalesce(sums.refusal, g.last_refusal)
       FROM sums WHERE g.id = sums.id RETURNING g.secret_id, g.agent_id, sums.used_at
     )
     UPDATE vault_secrets s SET last_used_at = latest.used_at, last_used_by = latest.agent_id
     FROM (SELECT DISTINCT ON (secret_id) * FROM changed WHERE used_at IS NOT NULL ORDER BY secret_id, used_at DESC) latest
     WHERE s.id = latest.secret_id AND (s.last_used_at IS NULL OR s.last_used_at <= latest.used_at)`,
    [JSON.stringify(sums)],
  );
}

interface Sum {
  id: string;
  uses: number;
  used_at: Date | null;
  refusals: number;
  refused_at: Date | null;
  refusal: string | null;
}

function sumsOf(uses: readonly EgressUse[]): Map<string, Sum> {
  const sums = new Map<string, Sum>();
  for (const { grantId: id, at, refused } of uses) {
    const sum = sums.get(id) ?? { id, uses: 0, used_at: null, refusals: 0, refused_at: null, refusal: null };
    const time = new Date(at);
    if (refused === undefined) {
      sum.uses += 1;
      if (!sum.used_at || sum.used_at < time) sum.used_at = time;
    } else {
      sum.refusals += 1;
      if (!sum.refused_at || sum.refused_at <= time) {
        sum.refused_at = time;
        sum.refusal = refused.slice(0, MAX_REASON_CHARS);
      }
    }
    sums.set(id, sum);
  }
  return sums;
}
