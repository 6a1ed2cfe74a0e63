import type { recentTexts as contract } from '#lib/contracts';
import type { Database } from '#lib/database';
import type { z } from 'zod';
import { belongsTo } from './belongs-to.js';

type Output = z.output<typeof contract.output>;

/**
 * What was said before a message, as it was said: a reply stands before what came while it was made, which the next turn
 * answers. Reads few columns, where a whole message costs ten times as much to put together and to parse. Unknown ids
 * find nothing.
 */
export async function recentTexts(
  database: Database,
  accountId: string,
  { agentId, conversationId, before, since, limit, maxChars }: z.output<typeof contract.input>,
): Promise<Output> {
  const texts = await database.query<Output['texts'][number]>(RECENT, [
    agentId,
    accountId,
    conversationId,
    before,
    since,
    limit,
    maxChars,
  ]);
  return { texts };
}

const RECENT = `
  WITH first AS MATERIALIZED (
    SELECT seq FROM messages WHERE id = $4 AND ${belongsTo('$1', '$2')}
  ), earlier AS MATERIALIZED (
    SELECT seq, role, content, turn_id,
      CASE WHEN role = 'user' THEN coalesce(delivered_at, created_at) ELSE created_at END AS said_at
    FROM messages
    WHERE agent_id = $1 AND account_id = $2 AND conversation_id = $3 AND seq < (SELECT seq FROM first)
      AND ($5::timestamptz IS NULL OR created_at > $5)
    ORDER BY seq DESC LIMIT $6
  ), late_replies AS (
    SELECT seq, role, content, created_at AS said_at FROM messages
    WHERE turn_id IN (SELECT turn_id FROM earlier WHERE role = 'user' AND turn_id IS NOT NULL)
      AND role = 'assistant' AND seq > (SELECT seq FROM first) AND ${belongsTo('$1', '$2')}
  )
  SELECT role, content FROM (
    SELECT role, content, said_at, seq, row_number() OVER newest AS nth, sum(length(content)) OVER newest AS chars
    FROM (SELECT seq, role, content, said_at FROM earlier UNION ALL SELECT * FROM late_replies) AS said
    WINDOW newest AS (ORDER BY said_at DESC, seq DESC)
  ) AS counted
  WHERE nth <= $6 AND chars <= $7 ORDER BY said_at, seq`;
