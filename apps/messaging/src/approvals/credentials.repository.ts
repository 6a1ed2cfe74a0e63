import {
  Approval,
  approvalDecided,
  approvalRequested,
  CREDENTIAL_DECISION_SECONDS,
  MAX_OPEN_CREDENTIALS,
} from '#lib/contracts';
import { newId, type Queries, type Transaction } from '#lib/database';
import { wireApproval } from './approval-sql.js';

/** The SQL of approvals of the kind `credential`: may a request of an agent's sandbox carry a secret of the vault? */

export interface CredentialCall {
  accountId: string;
  agentId: string;
  grantId: string;
  tool: string;
  /** What is shown, as canonical JSON. */
  arguments: string;
  hash: string;
  approvers: string[] | null;
  expiresAfterSeconds: number;
}

interface Known {
  id: string;
  status: string;
  message: string | null;
}

/** What counts for the request now: what waits, or a decision that is young enough and was not used up. */
export async function findCredential(
  queries: Queries,
  { accountId, agentId, grantId, hash }: CredentialCall,
): Promise<Known | undefined> {
  const [row] = await queries.query<Known>(
    `SELECT id, CASE WHEN status = 'pending' AND expires_at <= clock_timestamp() THEN 'expired' ELSE status END AS status,
       message
     FROM approvals WHERE grant_id = $1 AND hash = $2 AND account_id = $3 AND agent_id = $4
       AND (status = 'pending' OR (decided_at > clock_timestamp() - ${CREDENTIAL_DECISION_SECONDS} * interval '1 second'
         AND (status = 'denied' OR (status = 'allowed' AND started_at IS NULL))))
     ORDER BY created_at DESC LIMIT 1`,
    [grantId, hash, accountId, agentId],
  );
  return row;
}

/** Gives an allowed request its one start; false when another request was given it. */
export async function startCredential(queries: Queries, accountId: string, id: string): Promise<boolean> {
  const rows = await queries.query(
    `UPDATE approvals SET started_at = clock_timestamp()
     WHERE id = $1 AND account_id = $2 AND status = 'allowed' AND started_at IS NULL RETURNING 1`,
    [id, accountId],
  );
  return rows.length > 0;
}

export async function hasTooManyOpen(tx: Transaction, agentId: string): Promise<boolean> {
  const [row] = await tx.query<{ open: number }>(
    `SELECT count(*)::int AS open FROM approvals WHERE agent_id = $1 AND status = 'pending' AND grant_id IS NOT NULL`,
    [agentId],
  );
  return (row?.open ?? 0) >= MAX_OPEN_CREDENTIALS;
}

/**
 * Writes the question down, beside the turn that runs: it is asked where the turn's conversation is, if there is one.
 * Whoever calls holds the lock of the agent's row.
 */
export async function insertCredential(tx: Transaction, call: CredentialCall): Promise<string> {
  const { accountId, agentId } = call;
  const [row] = await tx.query<{ approval: unknown; message_ids: string[] }>(
    `WITH turn AS (
       SELECT t.id, t.conversation_id, t.message_ids, t.source FROM agents
       JOIN turns t ON t.id = agents.running_turn WHERE agents.agent_id = $2
     )
     INSERT INTO approvals AS a (id, account_id, agent_id, turn_id, conversation_id, message_ids, source, kind, tool, arguments,
       hash, approvers, grant_id, expires_at)
     VALUES ($3, $1, $2, (SELECT id FROM turn), (SELECT conversation_id FROM turn),
       coalesce((SELECT message_ids FROM turn), '[]'), coalesce((SELECT source FROM turn), 'api'), 'credential', $4, $5, $6,
       $7::jsonb, $8, clock_timestamp() + $9::int * interval '1 second')
     RETURNING ${wireApproval(false)} AS approval, a.message_ids`,
    [
      accountId,
      agentId,
      newId(),
      call.tool,
      call.arguments,
      call.hash,
      call.approvers && JSON.stringify(call.approvers),
      call.grantId,
      call.expiresAfterSeconds,
    ],
  );
  if (!row) throw new Error('an inserted row was not returned');
  const approval = Approval.parse(row.approval);
  const about = { accountId, agentId, turnId: approval.turnId, runId: null, messageIds: row.message_ids };
  await tx.outbox(approvalRequested, { ...about, approval }, agentId);
  return approval.id;
}

/** Of a grant that is revoked, or asks no more: whoever shows the others learns that nothing is asked. */
export async function cancelCredentials(
  tx: Transaction,
  { accountId, agentId, grantId }: { accountId: string; agentId: string; grantId: string },
): Promise<void> {
  const rows = await tx.query<{ approval: unknown; message_ids: string[] }>(
    `UPDATE approvals a SET status = 'cancelled', decided_at = clock_timestamp()
     WHERE grant_id = $1 AND agent_id = $2 AND account_id = $3 AND status = 'pending'
     RETURNING ${wireApproval(false)} AS approval, a.message_ids`,
    [grantId, agentId, accountId],
  );
  for (const { approval: wire, message_ids: messageIds } of rows) {
    const approval = Approval.parse(wire);
    const about = { accountId, agentId, turnId: approval.turnId, runId: null, messageIds };
    await tx.outbox(approvalDecided, { ...about, approval, rule: null }, agentId);
  }
}
