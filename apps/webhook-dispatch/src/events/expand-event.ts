import type { Transaction } from '#lib/database';
import { planDeliveries } from '../deliveries/deliveries.repository.js';

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
export function bodyOf({ type, occurredAt, data }: Pick<WebhookOccurrence, 'type' | 'occurredAt' | 'data'>): string {
  return JSON.stringify({ type, timestamp: occurredAt.toISOString(), data });
}

/** Plans a delivery to every endpoint that wants the event. Returns whether there is something to deliver now. */
export function expandEvent(tx: Transaction, event: WebhookOccurrence): Promise<boolean> {
  return planDeliveries(tx, { ...event, body: bodyOf(event) });
}
