import { Handles } from '#lib/bus';
import { accountOf, type CallContext } from '#lib/call-context';
import {
  getWebhookDelivery,
  listWebhookDeliveries,
  replayWebhooks,
  retryWebhookDelivery,
  RoostError,
  testWebhookEndpoint,
} from '#lib/contracts';
import { Database, newId } from '#lib/database';
import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { assertEnabled, lockEndpoint } from '../endpoints/endpoint-row.js';
import { bodyOf } from '../events/expand-event.js';
import { type DeliveryRow, noDelivery, toDelivery } from './delivery-row.js';
import { DeliveryWorker } from './delivery-worker.js';
import { sendAgain } from './send-again.js';

const MAX_REPLAY = 10_000;
type Input<C extends { input: z.ZodType }> = z.output<C['input']>;

interface AttemptRow {
  number: number;
  started_at: Date;
  duration_ms: number;
  response_status: number | null;
  response_body: string;
  error: string | null;
}

@Controller()
export class DeliveriesHandlers {
  constructor(
    private readonly database: Database,
    private readonly worker: DeliveryWorker,
  ) {}

  @Handles(listWebhookDeliveries)
  async list(query: Input<typeof listWebhookDeliveries>, context: CallContext) {
    const rows = await this.database.query<DeliveryRow>(
      `SELECT d.*, NULLIF(q.due_at, 'infinity') AS next_attempt_at FROM deliveries d LEFT JOIN queue q ON q.delivery_id = d.id
       WHERE d.account_id = $1
         AND ($2::uuid IS NULL OR d.agent_id = $2) AND ($3::uuid IS NULL OR d.endpoint_id = $3)
         AND ($4::text IS NULL OR d.status = $4) AND ($5::text IS NULL OR d.event_type = $5)
         AND ($6::timestamptz IS NULL OR d.created_at >= $6) AND ($7::timestamptz IS NULL OR d.created_at < $7)
         AND ($8::uuid IS NULL OR d.seq < (SELECT seq FROM deliveries WHERE id = $8 AND account_id = $1))
       ORDER BY d.seq DESC LIMIT $9`,
      [
        accountOf(context),
        query.agentId ?? null,
        query.endpointId ?? null,
        query.status ?? null,
        query.event ?? null,
        query.since ?? null,
        query.until ?? null,
        query.before ?? null,
        query.limit + 1,
      ],
    );
    return { deliveries: rows.slice(0, query.limit).map(toDelivery), hasMore: rows.length > query.limit };
  }

  @Handles(getWebhookDelivery)
  async get({ deliveryId }: Input<typeof getWebhookDelivery>, context: CallContext) {
    const [row] = await this.database.query<DeliveryRow & { body: string }>(
      `SELECT d.*, NULLIF(q.due_at, 'infinity') AS next_attempt_at, v.body FROM deliveries d JOIN events v ON v.id = d.event_id
       LEFT JOIN queue q ON q.delivery_id = d.id WHERE d.account_id = $1 AND d.id = $2`,
      [accountOf(context), deliveryId],
    );
    if (!row) throw noDelivery();
    const attempts = await this.database.query<AttemptRow>(
      `SELECT * FROM attempts WHERE account_id = $1 AND delivery_id = $2 ORDER BY number DESC LIMIT 100`,
      [accountOf(context), deliveryId],
    );
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

  @Handles(retryWebhookDelivery)
  async retry({ deliveryId }: Input<typeof retryWebhookDelivery>, context: CallContext) {
    const accountId = accountOf(context);
    return this.database.transaction(async (tx) => {
      const [found] = await tx.query<DeliveryRow>(`SELECT * FROM deliveries WHERE account_id = $1 AND id = $2`, [
        accountId,
        deliveryId,
      ]);
      if (!found) throw noDelivery();
      assertEnabled(await lockEndpoint(tx, accountId, found.endpoint_id));
      const [row] = await sendAgain(tx, accountId, [deliveryId]);
      if (!row) throw new RoostError('CONFLICT', "the delivery's agent was deleted; nothing more is sent of it");
      tx.afterCommit(() => this.worker.kick());
      return toDelivery(row);
    });
  }

  @Handles(replayWebhooks)
  async replay({ endpointId, since, until, status }: Input<typeof replayWebhooks>, context: CallContext) {
    return this.database.transaction(async (tx) => {
      const accountId = accountOf(context);
      assertEnabled(await lockEndpoint(tx, accountId, endpointId));
      const chosen = await tx.query<{ id: string }>(
        `SELECT id FROM deliveries WHERE account_id = $1 AND endpoint_id = $2 AND created_at >= $3
           AND ($4::timestamptz IS NULL OR created_at < $4) AND ($5::text IS NULL OR status = $5)
         ORDER BY seq LIMIT ${MAX_REPLAY}`,
        [accountId, endpointId, since, until ?? null, status ?? null],
      );
      const replayed = await sendAgain(
        tx,
        accountId,
        chosen.map(({ id }) => id),
      );
      tx.afterCommit(() => this.worker.kick());
      return { replayed: replayed.length };
    });
  }

  @Handles(testWebhookEndpoint)
  async test({ endpointId }: Input<typeof testWebhookEndpoint>, context: CallContext) {
    const accountId = accountOf(context);
    return this.database.transaction(async (tx) => {
      assertEnabled(await lockEndpoint(tx, accountId, endpointId));
      const event = {
        id: newId(),
        accountId,
        agentId: null,
        type: 'webhook.test',
        occurredAt: new Date(),
        data: { endpoint_id: endpointId },
      };
      await tx.query(`INSERT INTO events (id, account_id, type, body) VALUES ($1, $2, $3, $4)`, [
        event.id,
        accountId,
        event.type,
        bodyOf(event),
      ]);
      const [row] = await tx.query<DeliveryRow>(
        `INSERT INTO deliveries (account_id, endpoint_id, event_id, event_type) VALUES ($1, $2, $3, $4)
         RETURNING *, created_at AS next_attempt_at`,
        [accountId, endpointId, event.id, event.type],
      );
      tx.afterCommit(() => this.worker.kick());
      return toDelivery(row as DeliveryRow);
    });
  }
}
