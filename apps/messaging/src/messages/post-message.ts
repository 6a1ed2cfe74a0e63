import { Message, messagePosted, type postMessage as contract, RoostError } from '#lib/contracts';
import { newId, type Transaction } from '#lib/database';
import type { z } from 'zod';
import { unknownAgent } from '../agents/known-agents.js';

type Post = z.output<typeof contract.input>;

/** Stores an agent's own message with its event; one whose dedupe key is known changes nothing. Errors: NOT_FOUND. */
export async function postMessage(tx: Transaction, accountId: string, post: Post): Promise<Message> {
  const { agentId, conversationId, content, dedupeKey } = post;
  // Under the agent's lock, as all that is written for it: `seq` is the order of commits.
  const [agent] = await tx.query(
    `SELECT 1 FROM agents WHERE agent_id = $1 AND account_id = $2 AND status <> 'deleted' FOR UPDATE`,
    [agentId, accountId],
  );
  if (!agent) throw unknownAgent();
  const channel = await openConversation(tx, accountId, post);
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
  const message = Message.parse(stored?.wire);
  if (stored?.is_new) await tx.outbox(messagePosted, { accountId, agentId, message }, agentId);
  return message;
}

/** Gives the conversation's channel. */
async function openConversation(
  tx: Transaction,
  accountId: string,
  { agentId, conversationId, channel, counterparty }: Post,
): Promise<string> {
  if (counterparty)
    await tx.query(
      `INSERT INTO conversations (agent_id, id, account_id, channel, counterparty_id, counterparty_name)
       VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (agent_id, id) DO NOTHING`,
      [agentId, conversationId, accountId, channel ?? 'api', counterparty.id, counterparty.displayName],
    );
  const [conversation] = await tx.query<{ channel: string }>(
    `SELECT channel FROM conversations WHERE agent_id = $1 AND id = $2`,
    [agentId, conversationId],
  );
  if (!conversation) throw new RoostError('NOT_FOUND', 'the agent has no such conversation');
  return conversation.channel;
}
