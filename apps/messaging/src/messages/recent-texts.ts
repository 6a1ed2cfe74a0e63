import type { recentTexts as contract } from '#lib/contracts';
import type { Database } from '#lib/database';
import type { z } from 'zod';
import { belongsTo } from './belongs-to.js';

type Output = z.output<typeof contract.output>;

/** Reads two columns, where a whole message costs ten times as much to put together and to parse. Unknown ids find nothing. */
export async function recentTexts(
  database: Database,
  accountId: string,
  { agentId, conversationId, before, since, limit, maxChars }: z.output<typeof contract.input>,
): Promise<Output> {
  const texts = await database.query<Output['texts'][number]>(
    `SELECT role, content FROM (
       SELECT seq, role, content, sum(length(content)) OVER (ORDER BY seq DESC) AS chars FROM (
         SELECT seq, role, content FROM messages
         WHERE agent_id = $1 AND account_id = $2 AND conversation_id = $3
           AND seq < (SELECT seq FROM messages WHERE id = $4 AND ${belongsTo('$1', '$2')})
           AND ($5::timestamptz IS NULL OR created_at > $5)
         ORDER BY seq DESC LIMIT $6
       ) AS latest
     ) AS counted
     WHERE chars <= $7 ORDER BY seq`,
    [agentId, accountId, conversationId, before, since, limit, maxChars],
  );
  return { texts };
}
