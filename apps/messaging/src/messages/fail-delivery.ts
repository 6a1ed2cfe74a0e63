import { type deliveryFailed, Message, messageFailed } from '#lib/contracts';
import type { Transaction } from '#lib/database';
import type { z } from 'zod';

/** Marks replies that a chat platform will not show, and tells it as any failed message. Told again, it changes nothing. */
export async function failDelivery(
  tx: Transaction,
  { accountId, agentId, platform, messageIds, reason }: z.output<typeof deliveryFailed.payload>,
): Promise<void> {
  // Under the agent's lock, as all that is written for it: `seq` is the order of commits.
  await tx.query(`SELECT 1 FROM agents WHERE agent_id = $1 AND account_id = $2 FOR UPDATE`, [agentId, accountId]);
  const error = { code: 'DELIVERY_FAILED', message: `${platform}: ${reason}` };
  const rows = await tx.query<{ turn_id: string | null; wire: unknown }>(
    `UPDATE messages SET status = CASE WHEN status = 'read' THEN 'read' ELSE 'failed' END, error = $4
      WHERE account_id = $1 AND agent_id = $2 AND id = ANY($3) AND role = 'assistant' AND error IS NULL
      RETURNING turn_id, wire_message(messages) AS wire`,
    [accountId, agentId, messageIds, JSON.stringify(error)],
  );
  const messages = rows.map(({ wire }) => Message.parse(wire));
  const [first] = messages;
  if (!first) return;
  // What an agent said by itself belongs to no turn: the message stands for one.
  const turnId = rows[0]?.turn_id ?? first.id.replace(/^msg_/, '');
  await tx.outbox(messageFailed, { accountId, agentId, turnId, messages, error }, agentId);
}
