import { type AcceptedMessage, messageCreated, RoostError, type sendMessage } from '#lib/contracts';
import { newId, outboxRow, type Transaction } from '#lib/database';
import type { z } from 'zod';
import { unknownAgent } from '../agents/agent-projection.js';
import { MESSAGE_COLUMNS, type MessageRow, toMessage } from './message-row.js';

export type NewMessage = z.output<typeof sendMessage.input>;

/**
 * Accepts a message: it will be answered when the transaction commits. Order is the order of arrival, per
 * conversation. A `dedupeKey` seen before gives the first message again and queues nothing.
 * Errors: NOT_FOUND, AGENT_UNAVAILABLE (stopped or in error).
 */
export async function acceptMessage(
  tx: Transaction,
  message: NewMessage,
  accountId: string,
): Promise<{ accepted: AcceptedMessage; isNew: boolean }> {
  const [agent] = await tx.query<{ status: string }>(
    `SELECT status FROM agents WHERE agent_id = $1 AND account_id = $2 FOR SHARE`,
    [message.agentId, accountId],
  );
  if (!agent) throw unknownAgent();
  if (agent.status === 'stopped' || agent.status === 'error') throw unavailable(agent.status);

  const counterparty = message.counterparty ?? { id: message.conversationId, displayName: null };
  await tx.query(
    `INSERT INTO conversations (agent_id, id, account_id, channel, counterparty_id, counterparty_name) VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (agent_id, id) DO UPDATE SET updated_at = now(), counterparty_name = COALESCE($6, conversations.counterparty_name)`,
    [message.agentId, message.conversationId, accountId, message.channel, counterparty.id, counterparty.displayName],
  );
  const [row] = await tx.query<MessageRow>(
    `INSERT INTO messages (id, account_id, agent_id, conversation_id, role, content, metadata, status, channel, queue_mode, dedupe_key)
     VALUES ($1, $2, $3, $4, 'user', $5, $6, 'pending', $7, $8, $9)
     ON CONFLICT (agent_id, dedupe_key) WHERE dedupe_key IS NOT NULL DO NOTHING RETURNING ${MESSAGE_COLUMNS}`,
    [
      `msg_${newId()}`,
      accountId,
      message.agentId,
      message.conversationId,
      message.content,
      JSON.stringify(message.metadata),
      message.channel,
      message.queueMode,
      message.dedupeKey ?? null,
    ],
  );
  if (!row) return { accepted: asAccepted(await firstOf(tx, message)), isNew: false };
  const stored = toMessage(row);
  const event = outboxRow(messageCreated, { accountId, agentId: message.agentId, message: stored }, message.agentId);
  await tx.query(`INSERT INTO outbox (subject, key, payload, headers) VALUES ($1, $2, $3, $4)`, [
    event.subject,
    event.key,
    event.payload,
    event.headers,
  ]);
  tx.markEvents();
  if (message.queueMode === 'interrupt')
    await tx.query(`UPDATE turns SET cancelled = true WHERE agent_id = $1 AND state = 'running'`, [message.agentId]);
  return { accepted: asAccepted(row), isNew: true };
}

async function firstOf(tx: Transaction, message: NewMessage): Promise<MessageRow> {
  const [row] = await tx.query<MessageRow>(
    `SELECT ${MESSAGE_COLUMNS} FROM messages WHERE agent_id = $1 AND dedupe_key = $2`,
    [message.agentId, message.dedupeKey],
  );
  if (!row) throw new RoostError('CONFLICT', 'the same message is being accepted right now; try again');
  return row;
}

function asAccepted(row: MessageRow): AcceptedMessage {
  const { id, content, metadata, status, channel, queueMode, conversationId, createdAt } = toMessage(row);
  return {
    id,
    role: 'user',
    content,
    metadata,
    status,
    channel,
    queueMode: queueMode ?? 'collect',
    conversationId,
    createdAt,
  };
}

function unavailable(status: string): RoostError {
  const next =
    status === 'stopped'
      ? 'the agent is stopped: set its status to active first'
      : 'the agent is in error: see status_reason, then set its status to active';
  return new RoostError('AGENT_UNAVAILABLE', next, [{ reason: status }], 30);
}
