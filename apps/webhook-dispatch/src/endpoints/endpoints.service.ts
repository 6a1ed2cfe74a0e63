import { givenFields, recordAudit } from '#lib/audit';
import { type createWebhookEndpoint, RoostError, type updateWebhookEndpoint } from '#lib/contracts';
import { Database, newId } from '#lib/database';
import { checkRegisteredUrl, type GuardPolicy } from '#lib/net-guard';
import { AccountLimits, requireQuota } from '#lib/quotas';
import { Inject, Injectable } from '@nestjs/common';
import type { z } from 'zod';
import { POLICY } from '../config.js';
import { deleteOfEndpoint } from '../deliveries/deliveries.repository.js';
import { DeliveryWorker } from '../deliveries/delivery-worker.js';
import { EndpointSecrets } from './endpoint-secrets.js';
import {
  addEndpoint,
  countEndpoints,
  deleteEndpoint,
  getEndpoint,
  listEndpoints,
  lockEndpoint,
  rotateSecret,
  toEndpoint,
  updateEndpoint,
} from './endpoints.repository.js';

/** Endpoints of accounts; those of an agent's configuration can only be enabled, disabled and read here. */
@Injectable()
export class EndpointsService {
  constructor(
    private readonly database: Database,
    private readonly secrets: EndpointSecrets,
    private readonly worker: DeliveryWorker,
    private readonly limits: AccountLimits,
    @Inject(POLICY) private readonly policy: GuardPolicy,
  ) {}

  /** Errors: VALIDATION_ERROR, QUOTA_EXCEEDED. */
  async create(accountId: string, input: z.output<typeof createWebhookEndpoint.input>) {
    await checkRegisteredUrl(input.url, this.policy);
    const id = newId();
    const secret = input.secret ?? this.secrets.create();
    const limit = await this.limits.of(accountId, 'webhook_endpoints');
    const row = await this.database.transaction(async (tx) => {
      const count = () => countEndpoints(tx, accountId);
      await requireQuota(tx, { accountId, quota: 'webhook_endpoints', limit, count });
      await recordAudit(tx, {
        action: 'webhook_endpoint.created',
        target: endpointTarget(id),
        fields: givenFields(input),
      });
      return addEndpoint(tx, accountId, { ...input, id, sealedSecret: this.secrets.seal(secret, id) });
    });
    return { endpoint: toEndpoint(row), secret };
  }

  async list(accountId: string, agentId?: string) {
    return { endpoints: (await listEndpoints(this.database, accountId, agentId)).map(toEndpoint) };
  }

  /** Errors: NOT_FOUND. */
  async get(accountId: string, endpointId: string) {
    return toEndpoint(await getEndpoint(this.database, accountId, endpointId));
  }

  /** Errors: NOT_FOUND, VALIDATION_ERROR, CONFLICT. */
  async update(
    accountId: string,
    endpointId: string,
    change: Omit<z.output<typeof updateWebhookEndpoint.input>, 'endpointId'>,
  ) {
    if (change.url !== undefined) await checkRegisteredUrl(change.url, this.policy);
    return this.database.transaction(async (tx) => {
      const row = await lockEndpoint(tx, accountId, endpointId);
      const { enabled = row.enabled, ...others } = change;
      if (row.source === 'agent' && Object.values(others).some((value) => value !== undefined))
        throw changedElsewhere();
      const fields = givenFields(change);
      await recordAudit(tx, { action: 'webhook_endpoint.updated', target: endpointTarget(endpointId), fields });
      const updated = await updateEndpoint(tx, endpointId, {
        url: change.url ?? row.url,
        events: change.events ?? row.events,
        agentIds: change.agentIds === undefined ? row.agent_ids : change.agentIds,
        description: change.description === undefined ? row.description : change.description,
        enabled,
      });
      tx.afterCommit(() => this.worker.runSoon());
      return toEndpoint(updated);
    });
  }

  /** With its history. Errors: NOT_FOUND, CONFLICT. */
  async delete(accountId: string, endpointId: string) {
    await this.database.transaction(async (tx) => {
      const row = await lockEndpoint(tx, accountId, endpointId);
      if (row.source === 'agent') throw changedElsewhere();
      await deleteOfEndpoint(tx, endpointId);
      await deleteEndpoint(tx, endpointId);
      await recordAudit(tx, { action: 'webhook_endpoint.deleted', target: endpointTarget(endpointId) });
    });
    return { id: endpointId };
  }

  /** Errors: NOT_FOUND. */
  async rotateSecret(accountId: string, endpointId: string) {
    const secret = this.secrets.create();
    const row = await this.database.transaction(async (tx) => {
      await lockEndpoint(tx, accountId, endpointId);
      await recordAudit(tx, { action: 'webhook_endpoint.secret_rotated', target: endpointTarget(endpointId) });
      return rotateSecret(tx, endpointId, this.secrets.seal(secret, endpointId));
    });
    return { endpoint: toEndpoint(row), secret };
  }
}

const endpointTarget = (id: string) => ({ type: 'webhook_endpoint', id });

function changedElsewhere(): RoostError {
  return new RoostError('CONFLICT', "this endpoint is a URL of an agent's configuration.webhooks; change it there");
}
