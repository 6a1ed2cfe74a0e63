import type { Transaction } from '#lib/database';

export interface WebhookOccurrence {
  /** Deterministic: the same occurrence always has the same id. */
  id: string;
  accountId: string;
  agentId: string | null;
  type: string;
  occurredAt: Date;
  /** In the form of the wire. */
  data: Record<string, unknown>;
}

/** The text that is signed and sent (spec: webhooks.md, "Body"). */
export function bodyOf({ type, occurredAt, data }: WebhookOccurrence): string {
  return JSON.stringify({ type, timestamp: occurredAt.toISOString(), data });
}

/**
 * Plans a delivery to every enabled endpoint that wants the event and keeps the event if there is one. Repeating it
 * changes nothing. Nothing is planned for an agent whose endpoints are not there (`AgentEndpoints.ensure`): it was
 * deleted, and `agent.deleted` is the last of its events. The lock makes a deletion that is under way end first, or see
 * what is planned here. Gives whether there is something to deliver now.
 */
export async function expandEvent(tx: Transaction, event: WebhookOccurrence): Promise<boolean> {
  const kept = await tx.query(
    `WITH agent AS MATERIALIZED (
       SELECT 1 FROM agents WHERE agent_id = $3::uuid FOR KEY SHARE
     ), planned AS (
       INSERT INTO deliveries (account_id, endpoint_id, event_id, agent_id, event_type)
       SELECT account_id, id, $1, $3, $4 FROM endpoints
       WHERE account_id = $2 AND enabled AND (events @> ARRAY[$4] OR events @> ARRAY['*'])
         AND (agent_ids IS NULL OR agent_ids @> ARRAY[$3::uuid])
         AND ($3::uuid IS NULL OR $4 = 'agent.deleted' OR EXISTS (SELECT FROM agent))
       ON CONFLICT DO NOTHING RETURNING 1
     )
     INSERT INTO events (id, account_id, agent_id, type, body)
     SELECT $1, $2, $3, $4, $5 WHERE EXISTS (SELECT 1 FROM planned) ON CONFLICT DO NOTHING RETURNING id`,
    [event.id, event.accountId, event.agentId, event.type, bodyOf(event)],
  );
  return kept.length > 0;
}
