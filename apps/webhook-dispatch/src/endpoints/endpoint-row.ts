import { RoostError, type WebhookEndpoint } from '#lib/contracts';
import type { Transaction } from '#lib/database';

export interface EndpointRow {
  id: string;
  account_id: string;
  source: WebhookEndpoint['source'];
  agent_ids: string[] | null;
  url: string;
  events: WebhookEndpoint['events'];
  description: string | null;
  enabled: boolean;
  disabled_reason: WebhookEndpoint['disabledReason'];
  failing_since: Date | null;
  sealed_secret: string;
  created_at: Date;
  updated_at: Date;
}

/** Without its secrets. */
export function toEndpoint(row: EndpointRow): WebhookEndpoint {
  return {
    id: row.id,
    source: row.source,
    url: row.url,
    events: row.events,
    agentIds: row.agent_ids,
    description: row.description,
    enabled: row.enabled,
    disabledReason: row.disabled_reason,
    failingSince: row.failing_since,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

/** Reads an account's endpoint and locks it against other changes. Errors: NOT_FOUND. */
export async function lockEndpoint(tx: Transaction, accountId: string, endpointId: string): Promise<EndpointRow> {
  const [row] = await tx.query<EndpointRow>(`SELECT * FROM endpoints WHERE account_id = $1 AND id = $2 FOR UPDATE`, [
    accountId,
    endpointId,
  ]);
  if (!row) throw noEndpoint();
  return row;
}

export function noEndpoint(): RoostError {
  return new RoostError('NOT_FOUND', 'there is no such webhook endpoint');
}

/** Errors: CONFLICT when nothing may be sent to it. */
export function assertEnabled(row: EndpointRow): void {
  if (!row.enabled)
    throw new RoostError('CONFLICT', 'the webhook endpoint is disabled; enable it first', [
      { field: 'enabled', reason: row.disabled_reason ?? 'disabled' },
    ]);
}
