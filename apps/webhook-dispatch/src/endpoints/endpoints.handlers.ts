import { Handles } from '#lib/bus';
import { accountOf, type CallContext } from '#lib/call-context';
import {
  createWebhookEndpoint,
  deleteWebhookEndpoint,
  getWebhookEndpoint,
  listWebhookEndpoints,
  RoostError,
  rotateWebhookSecret,
  updateWebhookEndpoint,
} from '#lib/contracts';
import { Database, newId } from '#lib/database';
import { checkRegisteredUrl, type GuardPolicy } from '#lib/net-guard';
import { AccountLimits, countRows, requireQuota } from '#lib/quotas';
import { Controller, Inject } from '@nestjs/common';
import type { z } from 'zod';
import { DeliveryWorker } from '../deliveries/delivery-worker.js';
import { POLICY } from '../policy.js';
import { type EndpointRow, lockEndpoint, noEndpoint, toEndpoint } from './endpoint-row.js';
import { EndpointSecrets } from './endpoint-secrets.js';

/** Those of agents' configuration.webhooks go with their agents, which count themselves. */
export const ENDPOINTS_THAT_COUNT = `source = 'account'`;
type Input<C extends { input: z.ZodType }> = z.output<C['input']>;

@Controller()
export class EndpointsHandlers {
  constructor(
    private readonly database: Database,
    private readonly secrets: EndpointSecrets,
    private readonly worker: DeliveryWorker,
    private readonly limits: AccountLimits,
    @Inject(POLICY) private readonly policy: GuardPolicy,
  ) {}

  @Handles(createWebhookEndpoint)
  async create(input: Input<typeof createWebhookEndpoint>, context: CallContext) {
    const accountId = accountOf(context);
    await checkRegisteredUrl(input.url, this.policy);
    const id = newId();
    const secret = input.secret ?? this.secrets.create();
    const limit = await this.limits.of(accountId, 'webhook_endpoints');
    const row = await this.database.transaction(async (tx) => {
      const count = () => countRows(tx, 'endpoints', accountId, ENDPOINTS_THAT_COUNT);
      await requireQuota(tx, { accountId, quota: 'webhook_endpoints', limit, count });
      const [created] = await tx.query<EndpointRow>(
        `INSERT INTO endpoints (id, account_id, source, agent_ids, url, events, description, enabled, sealed_secret)
         VALUES ($1, $2, 'account', $3, $4, $5, $6, $7, $8) RETURNING *`,
        [
          id,
          accountId,
          input.agentIds,
          input.url,
          input.events,
          input.description,
          input.enabled,
          this.secrets.seal(secret, id),
        ],
      );
      return created as EndpointRow;
    });
    return { endpoint: toEndpoint(row), secret };
  }

  @Handles(listWebhookEndpoints)
  async list({ agentId }: Input<typeof listWebhookEndpoints>, context: CallContext) {
    const rows = await this.database.query<EndpointRow>(
      `SELECT * FROM endpoints WHERE account_id = $1 AND ($2::uuid IS NULL OR agent_ids IS NULL OR agent_ids @> ARRAY[$2::uuid])
       ORDER BY created_at, id LIMIT 1000`,
      [accountOf(context), agentId ?? null],
    );
    return { endpoints: rows.map(toEndpoint) };
  }

  @Handles(getWebhookEndpoint)
  async get({ endpointId }: Input<typeof getWebhookEndpoint>, context: CallContext) {
    const [row] = await this.database.query<EndpointRow>(`SELECT * FROM endpoints WHERE account_id = $1 AND id = $2`, [
      accountOf(context),
      endpointId,
    ]);
    if (!row) throw noEndpoint();
    return toEndpoint(row);
  }

  @Handles(updateWebhookEndpoint)
  async update({ endpointId, ...change }: Input<typeof updateWebhookEndpoint>, context: CallContext) {
    if (change.url !== undefined) await checkRegisteredUrl(change.url, this.policy);
    return this.database.transaction(async (tx) => {
      const row = await lockEndpoint(tx, accountOf(context), endpointId);
      const { enabled = row.enabled, ...others } = change;
      if (row.source === 'agent' && Object.values(others).some((value) => value !== undefined))
        throw changedElsewhere();
      const [updated] = await tx.query<EndpointRow>(
        `UPDATE endpoints SET url = $2, events = $3, agent_ids = $4, description = $5, enabled = $6, updated_at = now(),
           disabled_reason = CASE WHEN enabled = $6 THEN disabled_reason END,
           failing_since = CASE WHEN $6 AND NOT enabled THEN NULL ELSE failing_since END
         WHERE id = $1 RETURNING *`,
        [
          endpointId,
          change.url ?? row.url,
          change.events ?? row.events,
          change.agentIds === undefined ? row.agent_ids : change.agentIds,
          change.description === undefined ? row.description : change.description,
          enabled,
        ],
      );
      tx.afterCommit(() => this.worker.kick());
      return toEndpoint(updated as EndpointRow);
    });
  }

  @Handles(deleteWebhookEndpoint)
  async delete({ endpointId }: Input<typeof deleteWebhookEndpoint>, context: CallContext) {
    await this.database.transaction(async (tx) => {
      const row = await lockEndpoint(tx, accountOf(context), endpointId);
      if (row.source === 'agent') throw changedElsewhere();
      // First, as when an outcome is recorded: one that is under way waits here, and then finds nothing to add to.
      await tx.query(`DELETE FROM queue WHERE endpoint_id = $1`, [endpointId]);
      await tx.query(
        `DELETE FROM attempts USING deliveries d WHERE d.endpoint_id = $1 AND attempts.delivery_id = d.id`,
        [endpointId],
      );
      await tx.query(`DELETE FROM deliveries WHERE endpoint_id = $1`, [endpointId]);
      await tx.query(`DELETE FROM endpoints WHERE id = $1`, [endpointId]);
    });
    return { id: endpointId };
  }

  @Handles(rotateWebhookSecret)
  async rotate({ endpointId }: Input<typeof rotateWebhookSecret>, context: CallContext) {
    const secret = this.secrets.create();
    const row = await this.database.transaction(async (tx) => {
      await lockEndpoint(tx, accountOf(context), endpointId);
      const [rotated] = await tx.query<EndpointRow>(
        `UPDATE endpoints SET sealed_previous_secret = sealed_secret, previous_secret_until = now() + interval '24 hours',
           sealed_secret = $2, updated_at = now() WHERE id = $1 RETURNING *`,
        [endpointId, this.secrets.seal(secret, endpointId)],
      );
      return rotated as EndpointRow;
    });
    return { endpoint: toEndpoint(row), secret };
  }
}

function changedElsewhere(): RoostError {
  return new RoostError('CONFLICT', "this endpoint is a URL of an agent's configuration.webhooks; change it there");
}
