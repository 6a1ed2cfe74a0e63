import {
  type Actor,
  Approval,
  APPROVAL_STATUSES,
  type ApprovalStatus,
  type listApprovals as listContract,
  RoostError,
  StepApproval,
} from '#lib/contracts';
import { type Database, type Queries, storableText, type Transaction } from '#lib/database';
import { inBatches, SWEEP_BATCH } from '#lib/sweeps';
import type { z } from 'zod';
import { RUN_APPROVALS, wireApproval } from './approval-sql.js';

/** All SQL by which approvals are read, decided and started. How turns are suspended for them has its own file. */

export const unknownApproval = () => new RoostError('NOT_FOUND', 'there is no such approval');

/** Newest first. Errors: VALIDATION_ERROR for a cursor that is no approval of the account. */
export async function listApprovals(
  database: Database,
  accountId: string,
  { status, agentId, before, limit }: z.output<typeof listContract.input>,
): Promise<z.output<typeof listContract.output>> {
  const most = Number(limit);
  const statuses = status ? [status] : [...APPROVAL_STATUSES];
  const place = before === undefined ? null : await placeOf(database, accountId, before);
  const rows = await database.query<{ approval: unknown }>(agentId ? LIST_OF_AGENT : LIST, [
    accountId,
    statuses,
    place,
    before ?? null,
    most + 1,
    ...(agentId ? [agentId] : []),
  ]);
  return {
    approvals: rows.slice(0, most).map(({ approval }) => Approval.parse(approval)),
    hasMore: rows.length > most,
  };
}

/** Each status is a stretch of the index with the newest at its end: one look at each. */
const listSql = (scope: string) => `
  SELECT ${wireApproval(false)} AS approval FROM (
    SELECT found.* FROM unnest($2::text[]) AS status (name) CROSS JOIN LATERAL (
      SELECT * FROM approvals WHERE ${scope} AND approvals.status = status.name
        AND (created_at, id) < (coalesce($3::timestamptz, 'infinity'), coalesce($4::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
      ORDER BY created_at DESC, id DESC LIMIT $5
    ) found ORDER BY created_at DESC, id DESC LIMIT $5
  ) a ORDER BY a.created_at DESC, a.id DESC`;
export const LIST = listSql('account_id = $1');
export const LIST_OF_AGENT = listSql('agent_id = $6 AND account_id = $1');

async function placeOf(database: Database, accountId: string, id: string): Promise<string> {
  const [row] = await database.query<{ created_at: string }>(
    `SELECT created_at::text FROM approvals WHERE id = $1 AND account_id = $2`,
    [id, accountId],
  );
  if (row) return row.created_at;
  throw new RoostError('VALIDATION_ERROR', 'before is no approval of this account', [
    { field: 'before', reason: 'unknown_cursor' },
  ]);
}

/** With its whole arguments. Errors: NOT_FOUND. */
export async function findApproval(queries: Queries, accountId: string, id: string): Promise<Approval> {
  const [row] = await queries.query<{ approval: unknown }>(
    `SELECT ${wireApproval(true)} AS approval FROM approvals a WHERE a.id = $1 AND a.account_id = $2`,
    [id, accountId],
  );
  if (!row) throw unknownApproval();
  return Approval.parse(row.approval);
}

/** The approvals of a run by the ids of their calls, the newest thousand of them. */
export async function approvalsOfRun(queries: Queries, runId: string) {
  const rows = await queries.query<{ tool_call_id: string; approval: unknown }>(RUN_APPROVALS, [runId]);
  return rows.map(({ tool_call_id: toolCallId, approval }) => ({ toolCallId, approval: StepApproval.parse(approval) }));
}

/** Locks the approval's agent, then reads it: nobody else decides it until the transaction ends. Errors: NOT_FOUND. */
export async function lockApproval(
  tx: Transaction,
  accountId: string,
  id: string,
): Promise<{ approval: Approval; isDue: boolean }> {
  const locked = await tx.query(
    `SELECT 1 FROM agents WHERE agent_id = (SELECT agent_id FROM approvals WHERE id = $1 AND account_id = $2) FOR UPDATE`,
    [id, accountId],
  );
  if (locked.length === 0) throw unknownApproval();
  // A statement of its own: it sees what was committed while the lock was waited for.
  const approval = await findApproval(tx, accountId, id);
  const [due] = await tx.query<{ is_due: boolean }>(
    `SELECT expires_at <= clock_timestamp() AS is_due FROM approvals WHERE id = $1`,
    [id],
  );
  return { approval, isDue: due?.is_due ?? false };
}

export interface Decided {
  status: Exclude<ApprovalStatus, 'pending'>;
  by?: Actor;
  decision?: string;
  message?: string | undefined;
  edited?: { arguments: string; hash: string } | undefined;
  /** Of a question, as JSON. */
  answer?: string;
}

/** Decides a pending approval; undefined when it is pending no more. */
export async function decide(tx: Transaction, id: string, decided: Decided): Promise<Approval | undefined> {
  const [row] = await tx.query<{ approval: unknown }>(
    `UPDATE approvals a SET status = $2, decided_at = clock_timestamp(), decided_by_type = $3, decided_by_id = $4,
       decision = $5, message = $6, edited_arguments = $7, edited_hash = $8, answer = $9
     WHERE id = $1 AND status = 'pending' RETURNING ${wireApproval(false)} AS approval`,
    [
      id,
      decided.status,
      decided.by?.type ?? null,
      decided.by?.id ?? null,
      decided.decision ?? null,
      decided.message === undefined ? null : storableText(decided.message),
      decided.edited?.arguments ?? null,
      decided.edited?.hash ?? null,
      decided.answer ?? null,
    ],
  );
  return row && Approval.parse(row.approval);
}

/** Most places that are noted of one approval. */
const MAX_PLACES = 20;

/** Errors: NOT_FOUND. */
export async function noteShown(queries: Queries, accountId: string, id: string, where: string): Promise<Approval> {
  await queries.query(
    `UPDATE approvals SET shown = shown || jsonb_build_object('where', $3::text, 'at', wire_time(clock_timestamp()))
     WHERE id = $1 AND account_id = $2 AND jsonb_array_length(shown) < ${MAX_PLACES}
       AND NOT EXISTS (SELECT FROM jsonb_array_elements(shown) place WHERE place->>'where' = $3::text)`,
    [id, accountId, where],
  );
  return findApproval(queries, accountId, id);
}

export interface Start {
  approvalId: string;
  turnId: string;
  fencingToken: number;
  hash: string;
}

/** Notes that this attempt runs the call. Errors: CONFLICT with the reason why it may not. */
export async function startCall(database: Database, start: Start): Promise<void> {
  const { approvalId, turnId, fencingToken, hash } = start;
  const started = await database.query(START, [approvalId, turnId, fencingToken, hash]);
  if (started.length > 0) return;
  const [row] = await database.query<{ status: string; is_other: boolean; started_fence: string | null }>(
    `SELECT status, coalesce(edited_hash, hash) <> $2 AS is_other, started_fence FROM approvals WHERE id = $1`,
    [approvalId, hash],
  );
  const refuse = (reason: string, message: string) => new RoostError('CONFLICT', message, [{ reason }]);
  if (row?.status !== 'allowed' && row?.status !== 'answered') throw refuse('not_allowed', 'the call was not allowed');
  if (row.is_other) throw refuse('hash_differs', 'what is about to run is not what was shown');
  if (row.started_fence !== null && Number(row.started_fence) !== fencingToken)
    throw refuse('already_started', 'another attempt has begun the call');
  throw refuse('lease_lost', 'the turn is not this worker’s any more');
}

const START = `
  UPDATE approvals a SET started_fence = $3::bigint, started_at = coalesce(a.started_at, clock_timestamp())
  WHERE a.id = $1::uuid AND a.status IN ('allowed', 'answered') AND coalesce(a.edited_hash, a.hash) = $4
    AND (a.started_fence IS NULL OR a.started_fence = $3::bigint)
    AND EXISTS (SELECT FROM turns t WHERE t.id = $2::uuid AND t.fencing_token = $3::bigint AND t.state = 'running'
      AND t.agent_id = a.agent_id AND coalesce(t.run_id, t.id) = a.run_id)
  RETURNING 1`;

/** Decided ones are kept as long as runs, and while theirs has not ended. */
export async function sweepApprovals(queries: Queries, days: number, signal?: AbortSignal): Promise<void> {
  const some = `
    DELETE FROM approvals WHERE id = ANY(ARRAY(
       SELECT a.id FROM approvals a WHERE a.status <> 'pending' AND a.decided_at < now() - $1::int * interval '1 day'
         AND NOT EXISTS (SELECT FROM turns r WHERE r.id = a.run_id AND r.run_status IN ('waiting', 'running'))
       ORDER BY a.decided_at LIMIT ${SWEEP_BATCH})) RETURNING 1`;
  await inBatches(() => queries.query(some, [days]), signal);
}
