import { AgentEvent, listAgentEvents, turnStarted } from '#lib/contracts';
import type { Database } from '#lib/database';
import type { z } from 'zod';

/**
 * A page travels in one bus message, and a reader's stream takes it at once: one larger than what may wait for a reader
 * would get it cut. The first event of a page may be larger by itself.
 */
const MAX_PAGE_BYTES = 512 * 1024;

/**
 * An agent's durable events after one of them, from the outbox: its rows of one key are written under the agent's
 * lock, so their ids are the order in which they were committed. The caller has checked whose agent it is.
 */
export async function listEvents(
  database: Database,
  { agentId, afterEventId, fromStart, runId, limit }: z.output<typeof listAgentEvents.input>,
): Promise<z.output<typeof listAgentEvents.output>> {
  const [last] = await database.query<{ event_id: string }>(
    `SELECT event_id FROM outbox WHERE key = $1 ORDER BY id DESC LIMIT 1`,
    [agentId],
  );
  const lastEventId = last?.event_id ?? null;
  if (afterEventId === undefined && !fromStart) return { events: [], hasMore: false, isKnown: true, lastEventId };
  const [after] = afterEventId
    ? await database.query<{ id: string }>(
        // Newest first: a reader that keeps up is at the end of a list that may be long.
        `SELECT id FROM outbox WHERE key = $1 AND event_id = $2 ORDER BY id DESC LIMIT 1`,
        [agentId, afterEventId],
      )
    : runId
      ? await database.query<{ id: string }>(BEFORE_RUN, [agentId, runId])
      : [{ id: '0' }];
  const rows = await database.query<{ event: unknown; found: string }>(PAGE, [agentId, after?.id ?? '0', limit]);
  return {
    events: rows.map((row) => AgentEvent.parse(row.event)),
    hasMore: Number(rows[0]?.found ?? 0) > rows.length,
    isKnown: after !== undefined,
    lastEventId,
  };
}

/** A run and its first event are of one transaction: what is older is passed over without a look at what it holds. */
const BEFORE_RUN = `
  SELECT id - 1 AS id FROM outbox
  WHERE key = $1 AND created_at >= (SELECT started_at FROM turns WHERE id = $2::text::uuid)
    AND subject = '${turnStarted.subject}' AND payload->>'turn_id' = $2::text
  ORDER BY id LIMIT 1`;

/** Row by row, so that of large events no more are read than the page holds, and the one that shows there are more. */
const PAGE = `
  WITH RECURSIVE page AS (
    (SELECT id, 1 AS n, octet_length(payload::text) AS bytes FROM outbox WHERE key = $1 AND id > $2 ORDER BY id LIMIT 1)
    UNION ALL
    SELECT next.id, page.n + 1, page.bytes + next.bytes FROM page, LATERAL (
      SELECT id, octet_length(payload::text) AS bytes FROM outbox WHERE key = $1 AND id > page.id ORDER BY id LIMIT 1
    ) next WHERE page.n <= $3 AND page.bytes <= ${MAX_PAGE_BYTES}
  )
  SELECT jsonb_build_object('id', o.event_id, 'subject', o.subject, 'payload', o.payload,
    'created_at', wire_time(o.created_at)) AS event, (SELECT count(*) FROM page) AS found
  FROM page JOIN outbox o ON o.id = page.id
  WHERE page.n = 1 OR (page.n <= $3 AND page.bytes <= ${MAX_PAGE_BYTES}) ORDER BY page.id`;
