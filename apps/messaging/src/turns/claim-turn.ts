import { type ClaimedTurn, turnStarted } from '#lib/contracts';
import { newId, type Transaction } from '#lib/database';
import { MESSAGE_COLUMNS, type MessageRow, toMessage } from '../messages/message-row.js';

export const LEASE_MS = 30_000;
const BATCH = 100;

interface TurnRow {
  id: string;
  account_id: string;
  agent_id: string;
  conversation_id: string;
  fencing_token: string;
  attempt: number;
  partial_reply: string;
}

/**
 * Hands out the next turn: one whose lease ran out before anything new, then the oldest waiting message of an
 * active agent without a running turn, with all that waits in its conversation. An interrupting message goes first.
 * Null when nothing waits. By the database's clock; two workers never get the same agent.
 */
export async function claim(tx: Transaction, workerId: string): Promise<ClaimedTurn | null> {
  const turn = (await takeOver(tx, workerId)) ?? (await begin(tx, workerId));
  if (!turn) return null;
  const rows = await tx.query<MessageRow>(
    `SELECT ${MESSAGE_COLUMNS} FROM messages WHERE turn_id = $1 AND role = 'user' ORDER BY seq`,
    [turn.id],
  );
  const [conversation] = await tx.query<{
    channel: ClaimedTurn['channel'];
    counterparty_id: string;
    counterparty_name: string | null;
  }>(`SELECT channel, counterparty_id, counterparty_name FROM conversations WHERE agent_id = $1 AND id = $2`, [
    turn.agent_id,
    turn.conversation_id,
  ]);
  const messages = rows.map(toMessage);
  await tx.outbox(
    turnStarted,
    {
      accountId: turn.account_id,
      agentId: turn.agent_id,
      turnId: turn.id,
      messageIds: messages.map(({ id }) => id),
      attempt: turn.attempt,
    },
    turn.agent_id,
  );
  return {
    turnId: turn.id,
    fencingToken: Number(turn.fencing_token),
    agentId: turn.agent_id,
    accountId: turn.account_id,
    conversationId: turn.conversation_id,
    channel: conversation?.channel ?? 'api',
    counterparty: {
      id: conversation?.counterparty_id ?? turn.conversation_id,
      displayName: conversation?.counterparty_name ?? null,
    },
    messages,
    attempt: turn.attempt,
    partialReply: turn.partial_reply,
    leaseMs: LEASE_MS,
  };
}

/** The token grows, so that the worker that lost the lease can write nothing any more. */
async function takeOver(tx: Transaction, workerId: string): Promise<TurnRow | undefined> {
  const [turn] = await tx.query<TurnRow>(
    `UPDATE turns SET fencing_token = fencing_token + 1, worker_id = $1, attempt = attempt + 1, lease_until = now() + $2 * interval '1 ms'
     WHERE id = (SELECT id FROM turns WHERE state = 'running' AND lease_until < now() ORDER BY lease_until LIMIT 1 FOR UPDATE SKIP LOCKED)
     RETURNING *`,
    [workerId, LEASE_MS],
  );
  return turn;
}

async function begin(tx: Transaction, workerId: string): Promise<TurnRow | undefined> {
  // The lock on the agent's row is what makes one turn per agent: the loser of a race skips to the next agent.
  const [next] = await tx.query<{ agent_id: string; account_id: string; conversation_id: string }>(
    `SELECT m.agent_id, m.account_id, m.conversation_id FROM messages m JOIN agents a ON a.agent_id = m.agent_id
     WHERE m.status = 'pending' AND m.not_before <= now() AND a.status = 'active'
       AND NOT EXISTS (SELECT 1 FROM turns t WHERE t.agent_id = m.agent_id AND t.state = 'running')
     ORDER BY (m.queue_mode = 'interrupt') DESC, m.seq LIMIT 1 FOR UPDATE OF a SKIP LOCKED`,
  );
  if (!next) return undefined;
  const [running] = await tx.query(`SELECT 1 FROM turns WHERE agent_id = $1 AND state = 'running'`, [next.agent_id]);
  // A worker that held the lock a moment ago began a turn: the next claim finds another agent.
  if (running) return undefined;
  const id = newId();
  const batch = await tx.query<{ attempts: number }>(
    `UPDATE messages SET status = 'delivered', delivered_at = now(), turn_id = $1, attempts = attempts + 1
     WHERE id IN (
       SELECT id FROM messages WHERE agent_id = $2 AND conversation_id = $3 AND status = 'pending' AND not_before <= now()
       -- A message that failed before goes alone, so that a bad one does not hold the rest.
       AND (attempts = 0 OR seq = (SELECT min(seq) FROM messages WHERE agent_id = $2 AND conversation_id = $3 AND status = 'pending' AND not_before <= now()))
       ORDER BY seq LIMIT ${BATCH} FOR UPDATE)
     RETURNING attempts`,
    [id, next.agent_id, next.conversation_id],
  );
  if (batch.length === 0) return undefined;
  const attempt = Math.max(...batch.map(({ attempts }) => attempts));
  const [turn] = await tx.query<TurnRow>(
    `INSERT INTO turns (id, account_id, agent_id, conversation_id, worker_id, lease_until, attempt)
     VALUES ($1, $2, $3, $4, $5, now() + $6 * interval '1 ms', $7) RETURNING *`,
    [id, next.account_id, next.agent_id, next.conversation_id, workerId, LEASE_MS, attempt],
  );
  return turn;
}
