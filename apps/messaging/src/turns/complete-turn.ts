import { completeTurn as contract, encode, messageCompleted } from '#lib/contracts';
import { newId, type Transaction } from '#lib/database';
import { z } from 'zod';
import { belongsTo } from '../messages/belongs-to.js';
import { nextClaim } from './free-agent.js';
import { lockTurn } from './locked-turn.js';

export interface Ended {
  agentId: string;
  /** Whose waiters are to be told. */
  settledIds: string[];
  hasMoreWork: boolean;
}

/** Records a turn's replies and ends it; again changes nothing. Errors: CONFLICT (lease lost). */
export async function completeTurn(
  tx: Transaction,
  { replies, usage, ...fence }: z.output<typeof contract.input>,
  isFenced: boolean,
): Promise<Ended & { replyIds: string[] }> {
  const turn = await lockTurn(tx, fence, 'completed', isFenced);
  if (turn.state === 'completed') {
    return { agentId: turn.agentId, settledIds: [], hasMoreWork: false, replyIds: turn.replyIds };
  }
  const rows = replies.map((content) => ({ id: `msg_${newId()}`, content: content.replaceAll('\0', '') }));
  const replyIds = rows.map(({ id }) => id);
  tx.markEvents();
  const [freed] = await tx.finish<{ next_at: Date | null }>(COMPLETE, [
    turn.id,
    turn.agentId,
    turn.accountId,
    turn.conversationId,
    JSON.stringify(turn.messageIds),
    JSON.stringify(rows.map((row) => ({ ...row, content: row.content.toWellFormed() }))),
    JSON.stringify(replyIds),
    JSON.stringify(encode(contract.input.in.shape.usage, usage)),
    messageCompleted.subject,
  ]);
  return {
    agentId: turn.agentId,
    settledIds: turn.messageIds,
    hasMoreWork: (freed?.next_at ?? null) !== null,
    replyIds,
  };
}

/** The agent is freed as `freeAgent` does it: the statement begins under the agent's lock and leaves `ready_at` alone. */
const COMPLETE = `
  WITH batch AS (
    UPDATE messages SET status = 'read', read_at = now(), turn_id = $1::uuid, error = NULL
    WHERE id = ANY(ARRAY(SELECT jsonb_array_elements_text($5::jsonb))) AND ${belongsTo('$2', '$3')}
    RETURNING id, seq, channel, wire_message(messages) AS wire
  ), summary AS (
    SELECT coalesce(jsonb_agg(wire ORDER BY seq), '[]') AS messages, (array_agg(id ORDER BY seq DESC))[1] AS last_id,
      (array_agg(channel ORDER BY seq DESC))[1] AS channel
    FROM batch
  ), reply AS (
    INSERT INTO messages (id, account_id, agent_id, conversation_id, role, content, status, channel, reply_to_id, turn_id, delivered_at)
    SELECT item.value->>'id', $3::uuid, $2::uuid, $4::text, 'assistant', item.value->>'content', 'delivered',
      coalesce(s.channel, 'api'), s.last_id, $1::uuid, now()
    FROM summary s, jsonb_array_elements($6::jsonb) WITH ORDINALITY AS item (value, n) ORDER BY n
    RETURNING seq, wire_message(messages) AS wire
  ), turn AS (
    UPDATE turns SET state = 'completed', ended_at = now(), reply_ids = $7::jsonb, partial_reply = '' WHERE id = $1::uuid
  ), conversation AS (
    UPDATE conversations SET message_count = message_count + jsonb_array_length($7::jsonb), partial_reply = '', updated_at = now()
    WHERE agent_id = $2::uuid AND id = $4::text
  ), event AS (
    INSERT INTO outbox (subject, key, payload, headers)
    SELECT $9::text, $2::uuid::text, jsonb_build_object('account_id', $3::uuid, 'agent_id', $2::uuid, 'turn_id', $1::uuid,
      'messages', s.messages, 'replies', (SELECT coalesce(jsonb_agg(wire ORDER BY seq), '[]') FROM reply), 'usage', $8::jsonb),
      '{"v":"${messageCompleted.v}"}'
    FROM summary s
  )
  UPDATE agents SET running_turn = NULL, ${nextClaim('$2')}
  WHERE agent_id = $2::uuid AND running_turn = $1::uuid RETURNING next_at`;
