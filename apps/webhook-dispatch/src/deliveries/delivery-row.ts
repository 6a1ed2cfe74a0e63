import { RoostError, type WebhookDelivery } from '#lib/contracts';
import { webhookIdOf } from './send-delivery.js';

export interface DeliveryRow {
  id: string;
  endpoint_id: string;
  event_id: string;
  agent_id: string | null;
  event_type: string;
  status: WebhookDelivery['status'];
  attempt_count: number;
  last_response_status: number | null;
  /** Of its row in the queue, while there is one. */
  next_attempt_at: Date | null;
  created_at: Date;
  finished_at: Date | null;
}

export function toDelivery(row: DeliveryRow): WebhookDelivery {
  return {
    id: row.id,
    endpointId: row.endpoint_id,
    webhookId: webhookIdOf(row.event_id),
    agentId: row.agent_id,
    event: row.event_type,
    status: row.status,
    attemptCount: row.attempt_count,
    lastResponseStatus: row.last_response_status,
    nextAttemptAt: row.next_attempt_at,
    createdAt: row.created_at,
    finishedAt: row.finished_at,
  };
}

export function noDelivery(): RoostError {
  return new RoostError('NOT_FOUND', 'there is no such webhook delivery');
}
