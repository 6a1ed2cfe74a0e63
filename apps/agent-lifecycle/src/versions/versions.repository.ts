import type { Queries, Transaction } from '#lib/database';
import type { Actor } from '#lib/contracts';
import type { AgentRow } from '../agents/agent-row.js';
import type { SecretVersions, Settings } from './settings.js';

/** A row of `agent_versions`; `settings` and `secrets` are JSON. */
export interface VersionRow {
  version: number;
  created_at: Date;
  actor_type: Actor['type'] | null;
  actor_id: string | null;
  note: string | null;
  changed: string[];
  is_draft: boolean;
}
export interface WholeVersionRow extends VersionRow {
  settings: Settings;
  secrets: SecretVersions;
}

interface NewVersion {
  version: number;
  actor: Actor | undefined;
  note: string | null;
  changed: string[];
  settings: Settings;
  secrets: SecretVersions;
  isDraft?: boolean;
}

/** Of an agent, the newest that come to no more: a table that anybody fills by changing an agent must end. */
const MAX_VERSIONS = 500;
const MAX_BYTES = 64 * 1024 * 1024;
/** Drafts count among them; beyond this the oldest go first. */
const MAX_DRAFTS = 50;

const SHOWN = 'version, created_at, actor_type, actor_id, note, changed, is_draft';

/** All SQL of `agent_versions`. Whoever writes has the agent's row locked. */

export async function insertVersion(
  tx: Transaction,
  agent: Pick<AgentRow, 'id' | 'account_id'>,
  { version, actor, note, changed, settings, secrets, isDraft = false }: NewVersion,
): Promise<void> {
  await tx.query(
    `INSERT INTO agent_versions (agent_id, version, account_id, actor_type, actor_id, note, changed, settings, secrets, is_draft)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [
      agent.id,
      version,
      agent.account_id,
      actor?.type ?? null,
      actor?.id ?? null,
      note,
      changed,
      JSON.stringify(settings),
      JSON.stringify(secrets),
      isDraft,
    ],
  );
}

export async function setVersion(tx: Transaction, agentId: string, version: number): Promise<AgentRow> {
  const [agent] = await tx.query<AgentRow>(`UPDATE agents SET version = $2 WHERE id = $1 RETURNING *`, [
    agentId,
    version,
  ]);
  if (!agent) throw new Error('a locked agent is gone');
  return agent;
}

/** The number of the next one, whether a draft or not. */
export async function nextNumber(tx: Transaction, agentId: string): Promise<number> {
  const [row] = await tx.query<{ next: number }>(
    `SELECT coalesce(max(version), 0) + 1 AS next FROM agent_versions WHERE agent_id = $1`,
    [agentId],
  );
  return row?.next ?? 1;
}

/** The last before `version` that the agent has had; undefined for the first. */
export async function versionBefore(tx: Transaction, agentId: string, version: number): Promise<number | undefined> {
  const [row] = await tx.query<{ version: number }>(
    `SELECT version FROM agent_versions WHERE agent_id = $1 AND version < $2 AND NOT is_draft
     ORDER BY version DESC LIMIT 1`,
    [agentId, version],
  );
  return row?.version;
}

/** All but the newest. */
export async function deleteOldVersions(tx: Transaction, agentId: string, current: number): Promise<void> {
  await tx.query(
    `DELETE FROM agent_versions WHERE agent_id = $1 AND version IN (
       SELECT version FROM (
         SELECT version, row_number() OVER newest AS n, CASE WHEN is_draft THEN count(*) FILTER (WHERE is_draft) OVER newest END AS drafts, sum(octet_length(settings) + octet_length(secrets)) OVER newest AS bytes
         FROM agent_versions WHERE agent_id = $1 WINDOW newest AS (ORDER BY version DESC)
       ) counted WHERE version <> $2 AND (n > ${MAX_VERSIONS} OR drafts > ${MAX_DRAFTS} OR (n > 1 AND bytes > ${MAX_BYTES})))`,
    [agentId, current],
  );
}

export async function findVersion(
  queries: Queries,
  agentId: string,
  version: number,
): Promise<WholeVersionRow | undefined> {
  const [row] = await queries.query<VersionRow & { settings: string; secrets: string }>(
    `SELECT ${SHOWN}, settings, secrets FROM agent_versions WHERE agent_id = $1 AND version = $2`,
    [agentId, version],
  );
  return (
    row && {
      ...row,
      settings: JSON.parse(row.settings) as Settings,
      secrets: JSON.parse(row.secrets) as SecretVersions,
    }
  );
}

/** Newest first, before the one with number `before`. */
export function findVersions(
  queries: Queries,
  agentId: string,
  { before, limit }: { before: number | undefined; limit: number },
): Promise<VersionRow[]> {
  return queries.query(
    `SELECT ${SHOWN} FROM agent_versions WHERE agent_id = $1 AND ($2::int IS NULL OR version < $2)
     ORDER BY version DESC LIMIT $3`,
    [agentId, before ?? null, limit],
  );
}
