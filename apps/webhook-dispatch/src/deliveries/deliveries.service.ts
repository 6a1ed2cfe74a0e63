import { recordAudit } from '#lib/audit';
import { type listWebhookDeliveries, type replayWebhooks, RoostError } from '#lib/contracts';
import { Database, newId } from '#lib/database';
import { Injectable } from '@nestjs/common';
import type { z } from 'zod';
import { assertEnabled, keepEndpoint } from '../endpoints/endpoints.repository.js';
import { bodyOf } from '../events/expand-event.js';
import {
  endpointOfDelivery,
  getDelivery,
  idsToReplay,
  listAttempts,
  listDeliveries,
  planForEndpoint,
  toDelivery,
} from './deliveries.repository.js';
import { DeliveryWorker } from './delivery-worker.js';
import { sendAgain } from './queue.repository.js';

/** The history of deliveries, and sending them again. */
@Injectable()
export class DeliveriesService {
  constructor(
    private readonly database: Database,
    private readonly worker: DeliveryWorker,
  ) {}

  async list(accountId: string, query: z.output<typeof listWebhookDeliveries.input>) {
    const rows = await listDeliveries(this.database, accountId, query);
    return { deliveries: rows.slice(0, query.limit).map(toDelivery), hasMore: rows.length > query.limit };
  }

  /** With its body and its last 100 attempts, oldest first. Errors: NOT_FOUND. */
  async get(accountId: string, deliveryId: string) {
    const row = await getDelivery(this.database, accountId, deliveryId);
    const attempts = await listAttempts(this.database, accountId, deliveryId);
    return {
      ...toDelivery(row),
      body: row.body,
      attempts: attempts.reverse().map((attempt) => ({
        number: attempt.number,
        startedAt: attempt.started_at,
        durationMs: attempt.duration_ms,
        responseStatus: attempt.response_status,
        responseBody: attempt.response_body,
        error: attempt.error,
      })),
    };
  }

  /** Errors: NOT_FOUND, CONFLICT. */
  async retry(accountId: string, deliveryId: string) {
    return this.database.transaction(async (tx) => {
      const endpointId = await endpointOfDelivery(tx, accountId, deliveryId);
      assertEnabled(await keepEndpoint(tx, accountId, endpointId));
      const [row] = await sendAgain(tx, accountId, [deliveryId]);
      const target = { type: 'webhook_delivery', id: deliveryId };
      await recordAudit(tx, { action: 'webhook_delivery.retried', target });
      if (!row) throw new RoostError('CONFLICT', "the delivery's agent was deleted; nothing more is sent of it");
      tx.afterCommit(() => this.worker.runSoon());
      return toDelivery(row);
    });
  }

  /** Errors: NOT_FOUND, CONFLICT. */
  async replay(accountId: string, choice: z.output<typeof replayWebhooks.input>) {
    return this.database.transaction(async (tx) => {
      assertEnabled(await keepEndpoint(tx, accountId, choice.endpointId));
      const replayed = await sendAgain(tx, accountId, await idsToReplay(tx, accountId, choice));
      const target = { type: 'webhook_endpoint', id: choice.endpointId };
      await recordAudit(tx, { action: 'webhook_endpoint.replayed', target });
      tx.afterCommit(() => this.worker.runSoon());
      return { replayed: replayed.length };
    });
  }

  /** Sends a `webhook.test` to the endpoint. Errors: NOT_FOUND, CONFLICT. */
  async test(accountId: string, endpointId: string) {
    return this.database.transaction(async (tx) => {
      assertEnabled(await keepEndpoint(tx, accountId, endpointId));
      const type = 'webhook.test';
      await recordAudit(tx, {
        action: 'webhook_endpoint.tested',
        target: { type: 'webhook_endpoint', id: endpointId },
      });
      const body = bodyOf({ type, occurredAt: new Date(), data: { endpoint_id: endpointId } });
      const row = await planForEndpoint(tx, endpointId, { id: newId(), accountId, type, body });
      tx.afterCommit(() => this.worker.runSoon());
      return toDelivery(row);
    });
  }
}
