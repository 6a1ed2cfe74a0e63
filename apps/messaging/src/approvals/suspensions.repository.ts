import {
  Approval,
  approvalDecided,
  approvalExpired,
  approvalRequested,
  type SuspendedCall,
  type suspendTurn as suspendContract,
} from '#lib/contracts';
import { type Database, storableText, type Transaction } from '#lib/database';
import type { z } from 'zod';
import { type LockedTurn, nextClaim } from '../turns/turns.repository.js';
import { wireApproval } from './approval-sql.js';

/** The SQL by which conversations wait for approvals, and go on. Whoever calls holds the lock of the agent's row. */

type Suspension = Omit<z.output<typeof suspendContract.input>, 'turnId' | 'fencingToken'>;

/** Writes down what a turn waits for: nothing of its conversation can be claimed until all of it is decided. */
export async function insertApprovals(
  tx: Transaction,
  turn: LockedTurn,
  { calls, approvers, expiresAfterSeconds, partialReply }: Suspension,
): Promise<void> {
  const runId = turn.runId ?? turn.id;
  await tx.query(`UPDATE conversations SET suspended_run = $3 WHERE agent_id = $1 AND id = $2`, [
    turn.agentId,
    turn.conversationId,
    runId,
  ]);
  await tx.query(`UPDATE turns SET partial_reply = $2 WHERE id = $1`, [turn.id, partialReply]);
  const column = <T>(of: (call: SuspendedCall) => T) => calls.map(of);
  const rows = await tx.query<{ approval: unknown }>(INSERT, [
    turn.accountId,
    turn.agentId,
    runId,
    turn.id,
    turn.conversationId,
    JSON.stringify(turn.messageIds),
    approvers && JSON.stringify(approvers),
    expiresAfterSeconds,
    column(({ approvalId }) => approvalId),
    column(({ kind }) => kind),
    column(({ tool }) => storableText(tool)),
    column(({ toolCallId }) => storableText(toolCallId)),
    column((call) => call.arguments),
    column(({ hash }) => hash),
    column(({ rule }) => rule),
  ]);
  for (const { approval } of rows)
    await tx.outbox(approvalRequested, { ...ofTurn(turn, runId), approval: Approval.parse(approval) }, turn.agentId);
}

const INSERT = `
  INSERT INTO approvals AS a (account_id, agent_id, run_id, turn_id, conversation_id, message_ids, approvers, expires_at,
    source, id, kind, tool, tool_call_id, arguments, hash, rule)
  SELECT $1::uuid, $2::uuid, $3::uuid, $4::uuid, $5::text, $6::jsonb, $7::jsonb,
    clock_timestamp() + $8::int * interval '1 second',
    (SELECT coalesce(source, 'api') FROM turns WHERE id = $4::uuid), call.*
  FROM unnest($9::uuid[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::int[]) AS call
  ON CONFLICT (id) DO NOTHING RETURNING ${wireApproval(false)} AS approval`;

const ofTurn = (turn: Pick<LockedTurn, 'accountId' | 'agentId' | 'id' | 'messageIds'>, runId: string) => ({
  accountId: turn.accountId,
  agentId: turn.agentId,
  turnId: turn.id,
  runId,
  messageIds: turn.messageIds,
});

/** Lets a conversation go on whose run waits for nothing more; returns whether it does. */
export async function resumeRun(
  tx: Transaction,
  { agentId, conversationId, runId }: Pick<Approval, 'agentId' | 'conversationId' | 'runId'>,
): Promise<boolean> {
  const resumed = await tx.query(
    `UPDATE conversations SET suspended_run = NULL, ready_at = now()
     WHERE agent_id = $1 AND id = $2 AND suspended_run = $3
       AND NOT EXISTS (SELECT FROM approvals WHERE run_id = $3 AND status = 'pending') RETURNING 1`,
    [agentId, conversationId, runId],
  );
  if (resumed.length === 0) return false;
  await tx.query(`UPDATE agents SET ${nextClaim('$1')} WHERE agent_id = $1 AND running_turn IS NULL`, [agentId]);
  return true;
}

export async function messageIdsOf(tx: Transaction, approvalId: string): Promise<string[]> {
  const [row] = await tx.query<{ message_ids: string[] }>(`SELECT message_ids FROM approvals WHERE id = $1`, [
    approvalId,
  ]);
  return row?.message_ids ?? [];
}

interface EndedRow {
  approval: unknown;
  account_id: string;
  message_ids: string[];
}

const ENDED = `RETURNING ${wireApproval(false)} AS approval, a.account_id, a.message_ids`;

/** Cancels what a run waits for, and suspends its conversation no more. */
export async function cancelPending(tx: Transaction, turn: LockedTurn): Promise<void> {
  const runId = turn.runId ?? turn.id;
  const rows = await tx.query<EndedRow>(
    `UPDATE approvals a SET status = 'cancelled', decided_at = clock_timestamp()
     WHERE run_id = $1 AND status = 'pending' ${ENDED}`,
    [runId],
  );
  await announce(tx, rows, approvalDecided);
  await tx.query(
    `UPDATE conversations SET suspended_run = NULL WHERE agent_id = $1 AND id = $2 AND suspended_run = $3`,
    [turn.agentId, turn.conversationId, runId],
  );
}

/** Of an agent that is being deleted: its rows go with it, whoever shows them learns that nothing is asked any more. */
export async function cancelAllOf(tx: Transaction, agentId: string): Promise<void> {
  const rows = await tx.query<EndedRow>(
    `UPDATE approvals a SET status = 'cancelled', decided_at = clock_timestamp()
     WHERE agent_id = $1 AND status = 'pending' ${ENDED}`,
    [agentId],
  );
  await announce(tx, rows, approvalDecided);
}

/** Conversations of an agent that wait for approvals: of one, or the first of all. */
export function suspendedRuns(tx: Transaction, agentId: string, conversationIds: string[] | null, most: number) {
  return tx.query<{ id: string; suspended_run: string }>(
    `SELECT id, suspended_run FROM conversations
     WHERE agent_id = $1 AND suspended_run IS NOT NULL AND ($2::text[] IS NULL OR id = ANY($2)) ORDER BY id LIMIT $3`,
    [agentId, conversationIds, most],
  );
}

/** Agents of which an approval is due, those that are due longest first. */
export async function agentsWithDue(database: Database, most: number): Promise<string[]> {
  const rows = await database.query<{ agent_id: string }>(
    `SELECT agent_id FROM approvals WHERE status = 'pending' AND expires_at <= clock_timestamp()
     ORDER BY expires_at LIMIT $1`,
    [most],
  );
  return [...new Set(rows.map(({ agent_id }) => agent_id))];
}

/** Ends the agent's approvals that are due; returns whether one of its conversations goes on. */
export async function expireDue(tx: Transaction, agentId: string, most: number): Promise<boolean> {
  await tx.query(`SELECT 1 FROM agents WHERE agent_id = $1 FOR UPDATE`, [agentId]);
  const rows = await tx.query<EndedRow>(
    `UPDATE approvals a SET status = 'expired', decided_at = clock_timestamp()
     WHERE id IN (SELECT id FROM approvals WHERE agent_id = $1 AND status = 'pending' AND expires_at <= clock_timestamp()
                  ORDER BY created_at LIMIT $2) AND status = 'pending' ${ENDED}`,
    [agentId, most],
  );
  const approvals = await announce(tx, rows, approvalExpired);
  let goesOn = false;
  for (const approval of approvals) goesOn = (await resumeRun(tx, approval)) || goesOn;
  return goesOn;
}

async function announce(
  tx: Transaction,
  rows: EndedRow[],
  event: typeof approvalDecided | typeof approvalExpired,
): Promise<Approval[]> {
  const approvals: Approval[] = [];
  for (const { approval: wire, account_id: accountId, message_ids: messageIds } of rows) {
    const approval = Approval.parse(wire);
    const { agentId, runId, turnId } = approval;
    await tx.outbox(event, { accountId, agentId, turnId, runId, messageIds, approval }, agentId);
    approvals.push(approval);
  }
  return approvals;
}
