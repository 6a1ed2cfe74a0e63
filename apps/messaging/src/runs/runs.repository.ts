import {
  CHANNELS,
  type listRuns as listContract,
  Message,
  MessageInQueue,
  RoostError,
  Run,
  RUN_STATUSES,
  RunAttempt,
} from '#lib/contracts';
import type { Database, Transaction } from '#lib/database';
import type { z } from 'zod';
import { belongsTo, MESSAGE_IN_QUEUE } from '../messages/message-sql.js';
import { type LockedTurn, nextClaim } from '../turns/turns.repository.js';

/** All SQL by which turns are read as runs: the row of a first attempt, with what its later ones say. */

/** A run that is handed on at every restart of its workers has many. */
const MAX_ATTEMPTS_SHOWN = 100;

/** A row that a version before runs has written says it by its state alone. */
const STATUS = `
  coalesce(r.run_status, CASE WHEN r.state IN ('running', 'completed', 'failed', 'interrupted') THEN r.state ELSE 'waiting' END)`;

/** The run `r` in the wire form of contracts' Run, `last` being its last attempt. */
const WIRE = `
  jsonb_build_object('id', r.id, 'agent_id', r.agent_id, 'conversation_id', r.conversation_id,
    'source', coalesce(r.source, 'api'), 'status', ${STATUS},
    'cancel_requested', last.is_cancel_requested AND last.state = 'running',
    'started_at', wire_time(r.started_at),
    'ended_at', CASE WHEN ${STATUS} NOT IN ('running', 'waiting') THEN wire_time(last.ended_at) END,
    'attempt_count', 1 + (SELECT count(*) FROM turns later WHERE later.run_id = r.id),
    'message_ids', last.message_ids,
    'excerpt', (SELECT left(m.content, 200) FROM messages m WHERE m.id = last.message_ids ->> -1), 'reply_ids', last.reply_ids,
    'error', CASE WHEN last.state NOT IN ('running', 'completed') THEN last.error END)`;

/** Attempts of a run are found by its id: the first is that row, the others name it. */
const LAST = `
  CROSS JOIN LATERAL (
    SELECT * FROM (
      (SELECT * FROM turns later WHERE later.run_id = r.id ORDER BY fencing_token DESC LIMIT 1)
      UNION ALL
      (SELECT * FROM turns own WHERE own.id = r.id)
    ) attempts ORDER BY fencing_token DESC LIMIT 1
  ) last`;

/** Whose run it is, for rows that are found by their id: see `belongsTo`. */
const IS_OWN = belongsTo('$1', '$2');

export interface RunKey {
  agentId: string;
  accountId: string;
  runId: string;
}

/** Newest first. Errors: VALIDATION_ERROR for a cursor that is no run of the agent. */
export async function listRuns(
  database: Database,
  accountId: string,
  query: z.output<typeof listContract.input>,
): Promise<z.output<typeof listContract.output>> {
  const limit = Number(query.limit);
  const before =
    query.before === undefined ? null : await placeOf(database, { ...query, accountId, runId: query.before });
  const values = [
    query.agentId,
    accountId,
    before,
    query.before ?? null,
    query.from ?? null,
    query.to ?? null,
    limit + 1,
  ];
  const isFiltered = query.status !== undefined || query.source !== undefined;
  const rows = await database.query<{ run: unknown }>(
    isFiltered ? FILTERED_LIST : LIST,
    isFiltered
      ? [...values, query.status ? [query.status] : [...RUN_STATUSES], query.source ? [query.source] : [...CHANNELS]]
      : values,
  );
  return { runs: rows.slice(0, limit).map(({ run }) => Run.parse(run)), hasMore: rows.length > limit };
}

/** Without a cursor one behind all: a condition that may be left out would not be looked up by the index. */
const RANGE = `
  run_id IS NULL
    AND (started_at, id)
      < (coalesce($3::timestamptz, 'infinity'), coalesce($4::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
    AND started_at >= coalesce($5::timestamptz, '-infinity') AND started_at < coalesce($6::timestamptz, 'infinity')`;

export const LIST = `
  SELECT ${WIRE} AS run
  FROM (
    SELECT * FROM turns WHERE agent_id = $1 AND ${RANGE} AND account_id = $2
    ORDER BY started_at DESC, id DESC LIMIT $7
  ) r ${LAST} ORDER BY r.started_at DESC, r.id DESC`;

/** Each status and source is a stretch of the index with the newest at its end: one look at each, however many there are. */
export const FILTERED_LIST = `
  SELECT ${WIRE} AS run
  FROM (
    SELECT found.* FROM unnest($8::text[]) AS status (name), unnest($9::text[]) AS source (name)
    CROSS JOIN LATERAL (
      SELECT * FROM turns WHERE agent_id = $1 AND run_status = status.name AND turns.source = source.name AND ${RANGE}
        AND account_id = $2
      ORDER BY started_at DESC, id DESC LIMIT $7
    ) found ORDER BY started_at DESC, id DESC LIMIT $7
  ) r ${LAST} ORDER BY r.started_at DESC, r.id DESC`;

async function placeOf(database: Database, { agentId, accountId, runId }: RunKey): Promise<string> {
  const [row] = await database.query<{ started_at: string }>(
    `SELECT started_at::text FROM turns WHERE id = $3 AND run_id IS NULL AND ${IS_OWN}`,
    [agentId, accountId, runId],
  );
  if (row) return row.started_at;
  throw new RoostError('VALIDATION_ERROR', 'before is not a run of this agent', [
    { field: 'before', reason: 'unknown_cursor' },
  ]);
}

/** Errors: NOT_FOUND. */
export async function findRun(database: Pick<Database, 'query'>, { agentId, accountId, runId }: RunKey): Promise<Run> {
  const [row] = await database.query<{ run: unknown }>(FIND, [agentId, accountId, runId]);
  if (!row) throw new RoostError('NOT_FOUND', 'this agent has no such run');
  return Run.parse(row.run);
}

export const FIND = `
  SELECT ${WIRE} AS run
  FROM (SELECT * FROM turns WHERE id = $3 AND run_id IS NULL AND ${IS_OWN}) r ${LAST}`;

/** The newest attempts of a run, oldest first. */
export async function attemptsOf(database: Database, runId: string): Promise<RunAttempt[]> {
  const rows = await database.query<{ attempt: unknown }>(ATTEMPTS, [runId]);
  return rows.map(({ attempt }) => RunAttempt.parse(attempt));
}

export const ATTEMPTS = `
  WITH shown AS (
    (SELECT * FROM turns WHERE run_id = $1 ORDER BY fencing_token DESC LIMIT ${MAX_ATTEMPTS_SHOWN})
    UNION ALL
    (SELECT * FROM turns WHERE id = $1)
  ), counted AS (SELECT 1 + count(*) AS total FROM turns WHERE run_id = $1)
  SELECT jsonb_build_object('number', counted.total + 1 - n, 'turn_id', id, 'state', state,
    'started_at', wire_time(started_at), 'ended_at', wire_time(ended_at), 'message_ids', message_ids,
    'will_retry', will_retry, 'error', error) AS attempt
  FROM (SELECT *, row_number() OVER (ORDER BY fencing_token DESC) AS n FROM shown) numbered, counted
  WHERE n <= ${MAX_ATTEMPTS_SHOWN} ORDER BY n DESC`;

/** The messages that a run is about, and the replies it gave. */
export async function messagesOf(
  database: Database,
  accountId: string,
  { agentId, messageIds, replyIds }: Run,
): Promise<{ messages: MessageInQueue[]; replies: Message[] }> {
  const rows = await database.query<{ message: unknown; is_reply: boolean }>(MESSAGES, [
    agentId,
    accountId,
    [...messageIds, ...replyIds],
  ]);
  return {
    messages: rows.filter(({ is_reply }) => !is_reply).map(({ message }) => MessageInQueue.parse(message)),
    replies: rows.filter(({ is_reply }) => is_reply).map(({ message }) => Message.parse(withoutWait(message))),
  };
}

export const MESSAGES = `
  SELECT ${MESSAGE_IN_QUEUE} AS message, role = 'assistant' AS is_reply FROM messages m
  WHERE id = ANY($3::text[]) AND ${IS_OWN} ORDER BY seq`;

const withoutWait = (message: unknown) => {
  const { waiting_for: _, ...reply } = message as Record<string, unknown>;
  return reply;
};

/**
 * Marks the running attempt of a run as cancelled, under its agent's lock; gives the last attempt, or undefined where none
 * runs. The agent is locked first, as whatever ends turns does.
 */
export async function cancelAttempt(
  tx: Transaction,
  { agentId, runId }: RunKey,
): Promise<{ isRunning: boolean; last: LockedTurn }> {
  await tx.query(`SELECT 1 FROM agents WHERE agent_id = $1 FOR UPDATE`, [agentId]);
  const cancelled = await tx.query(
    `UPDATE turns SET cancelled = true, stopped = false, is_cancel_requested = true
     WHERE id IN (SELECT id FROM turns WHERE run_id = $1 UNION ALL SELECT $1::uuid) AND state = 'running' RETURNING 1`,
    [runId],
  );
  return { isRunning: cancelled.length > 0, last: await lastAttempt(tx, runId) };
}

/** The last attempt of a run that is being cancelled, under its agent's lock. Errors: NOT_FOUND. */
export async function lastAttempt(tx: Transaction, runId: string): Promise<LockedTurn> {
  const [last] = await tx.query<LockedTurn>(
    `SELECT id, agent_id AS "agentId", account_id AS "accountId", conversation_id AS "conversationId", message_ids AS "messageIds",
       run_id AS "runId", true AS "isCancelled", state, false AS "isStopped", true AS "isInterrupted", attempt,
       partial_reply AS "partialReply", reply_ids AS "replyIds", will_retry AS "willRetry"
     FROM turns WHERE id IN (SELECT id FROM turns WHERE run_id = $1 UNION ALL SELECT $1::uuid)
     ORDER BY fencing_token DESC LIMIT 1`,
    [runId],
  );
  if (!last) throw new RoostError('NOT_FOUND', 'this agent has no such run');
  return last;
}

/** Gives the messages of a run that waits back to its last attempt, which is then ended as one that runs would be. */
export async function takeWaitingBatch(tx: Transaction, { id, messageIds }: LockedTurn): Promise<void> {
  await tx.query(
    `UPDATE messages SET status = 'delivered', delivered_at = now(), turn_id = $1
     WHERE id = ANY($2::text[]) AND status = 'pending'`,
    [id, messageIds],
  );
}

/**
 * After the batch of a waiting run is gone: what else waits in its conversation may be claimed, now or never, and before
 * all others where it `comesFirst`.
 */
export async function readyAfterCancel(
  tx: Transaction,
  { agentId, conversationId }: LockedTurn,
  comesFirst: boolean,
): Promise<void> {
  await tx.query(
    `UPDATE conversations c SET retry_error = NULL, ready_at = CASE WHEN EXISTS (
       SELECT FROM messages m WHERE m.agent_id = $1 AND m.conversation_id = $2 AND m.status = 'pending') THEN CASE WHEN $3 THEN 'epoch' ELSE now() END END
     WHERE c.agent_id = $1 AND c.id = $2`,
    [agentId, conversationId, comesFirst],
  );
  await tx.query(`UPDATE agents SET ${nextClaim('$1')} WHERE agent_id = $1 AND running_turn IS NULL`, [agentId]);
}
