import { type deliveryFailed, Message, type postMessage } from '#lib/contracts';
import { newId, type Transaction } from '#lib/database';
import type { z } from 'zod';

/** The SQL of `messages` for what an agent sends by itself, and what becomes of its replies on a chat platform. */

/** Stores an agent's own message in its conversation; one whose dedupe key is known changes nothing. */
export async function insertOwnMessage(
  tx: Transaction,
  accountId: string,
  { agentId, conversationId, content, dedupeKey }: z.output<typeof postMessage.input>,
  channel: string,
): Promise<{ message: Message; isNew: boolean }> {
  const [stored] = await tx.query<{ wire: unknown; is_new: boolean }>(
    `WITH inserted AS (
       INSERT INTO messages (id, account_id, agent_id, conversation_id, role, content, status, channel, dedupe_key, delivered_at)
       VALUES ($1, $2, $3, $4, 'assistant', $5, 'delivered', $6, $7, now())
       ON CONFLICT (agent_id, dedupe_key) WHERE dedupe_key IS NOT NULL DO NOTHING
       RETURNING wire_message(messages) AS wire
     ), counted AS (
       UPDATE conversations SET message_count = message_count + 1, updated_at = now()
       WHERE agent_id = $3 AND id = $4 AND EXISTS (SELECT FROM inserted)
     )
     SELECT wire, true AS is_new FROM inserted
     UNION ALL
     SELECT wire_message(m) AS wire, false FROM messages m WHERE agent_id = $3 AND dedupe_key = $7`,
    [`msg_${newId()}`, accountId, agentId, conversationId, content, channel, dedupeKey ?? null],
  );
  return { message: Message.parse(stored?.wire), isNew: stored?.is_new ?? false };
}

/** Marks replies that a chat platform will not show; returns those that were not marked before. */
export async function markUndelivered(
  tx: Transaction,
  { accountId, agentId, messageIds }: z.output<typeof deliveryFailed.payload>,
  error: { code: string; message: string },
): Promise<{ turnId: string | null; message: Message }[]> {
  const rows = await tx.query<{ turn_id: string | null; wire: unknown }>(
    `UPDATE messages SET status = CASE WHEN status = 'read' THEN 'read' ELSE 'failed' END, error = $4
      WHERE account_id = $1 AND agent_id = $2 AND id = ANY($3) AND role = 'assistant' AND error IS NULL
      RETURNING turn_id, wire_message(messages) AS wire`,
    [accountId, agentId, messageIds, JSON.stringify(error)],
  );
  return rows.map(({ turn_id, wire }) => ({ turnId: turn_id, message: Message.parse(wire) }));
}
