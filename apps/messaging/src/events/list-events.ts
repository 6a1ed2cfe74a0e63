import { AgentEvent, listAgentEvents } from '#lib/contracts';
import type { Database } from '#lib/database';
import type { z } from 'zod';

/**
 * An agent's durable events after one of them, from the outbox: its rows of one key are written under the agent's
 * lock, so their ids are the order in which they were committed. The caller has checked whose agent it is.
 */
export async function listEvents(
  database: Database,
  { agentId, afterEventId, fromStart, limit }: z.output<typeof listAgentEvents.input>,
): Promise<z.output<typeof listAgentEvents.output>> {
  const [last] = await database.query<{ event_id: string }>(
    `SELECT event_id FROM outbox WHERE key = $1 ORDER BY id DESC LIMIT 1`,
    [agentId],
  );
  const lastEventId = last?.event_id ?? null;
  if (afterEventId === undefined && !fromStart) return { events: [], hasMore: false, isKnown: true, lastEventId };
  const [after] = afterEventId
    ? await database.query<{ id: string }>(`SELECT id FROM outbox WHERE key = $1 AND event_id = $2`, [
        agentId,
        afterEventId,
      ])
    : [{ id: '0' }];
  const rows = await database.query<{ event: unknown }>(
    `SELECT jsonb_build_object('id', event_id, 'subject', subject, 'payload', payload,
       'created_at', wire_time(created_at)) AS event
     FROM outbox WHERE key = $1 AND id > $2 ORDER BY id LIMIT $3`,
    [agentId, after?.id ?? '0', limit + 1],
  );
  return {
    events: rows.slice(0, limit).map((row) => AgentEvent.parse(row.event)),
    hasMore: rows.length > limit,
    isKnown: after !== undefined,
    lastEventId,
  };
}
