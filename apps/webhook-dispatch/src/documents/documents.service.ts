import { requireState } from '#lib/apply-plan';
import { recordAudit } from '#lib/audit';
import { type applyWebhooks, type PlannedPart, RoostError } from '#lib/contracts';
import { Database, newId, type Transaction } from '#lib/database';
import { checkRegisteredUrl, type GuardPolicy } from '#lib/net-guard';
import { AccountLimits, lockQuota, requireQuota } from '#lib/quotas';
import { Inject, Injectable } from '@nestjs/common';
import type { z } from 'zod';
import { POLICY } from '../config.js';
import { deleteOfEndpoint } from '../deliveries/deliveries.repository.js';
import { DeliveryWorker } from '../deliveries/delivery-worker.js';
import { EndpointSecrets } from '../endpoints/endpoint-secrets.js';
import {
  addEndpoint,
  countEndpoints,
  deleteEndpoint,
  endpointsOfAgent,
  lockAgent,
  rotateSecret,
  updateEndpoint,
} from '../endpoints/endpoints.repository.js';
import { type PlannedWebhook, planWebhooks, webhooksState } from './plan-webhooks.js';

type Asked = z.output<typeof applyWebhooks.input>;
type Compared = z.output<typeof applyWebhooks.output>;
type Made = Pick<PlannedPart, 'id' | 'secret'>;

/** Makes the webhook endpoints that get what happens to one agent alone as a document says. */
@Injectable()
export class DocumentsService {
  constructor(
    private readonly database: Database,
    private readonly secrets: EndpointSecrets,
    private readonly worker: DeliveryWorker,
    private readonly limits: AccountLimits,
    @Inject(POLICY) private readonly policy: GuardPolicy,
  ) {}

  /** All or nothing. Errors: VALIDATION_ERROR, CONFLICT, QUOTA_EXCEEDED. */
  async apply(accountId: string, asked: Asked): Promise<Compared> {
    const { agentId, dryRun, prune, webhooks = {} } = asked;
    const limit = await this.limits.of(accountId, 'webhook_endpoints');
    const checked = await this.checkNew(accountId, agentId, Object.keys(webhooks));
    return this.database.transaction(async (tx) => {
      // Nobody makes one meanwhile: two who apply at once would make each twice.
      if (agentId !== null) await lockAgent(tx, agentId);
      await lockQuota(tx, 'webhook_endpoints', accountId);
      const rows = agentId === null ? [] : await endpointsOfAgent(tx, accountId, agentId, 'FOR UPDATE');
      const plan = planWebhooks({ webhooks, prune }, rows, (secret, row) =>
        this.secrets.isSame(secret, row.id, row.sealed_secret),
      );
      const state = webhooksState(rows);
      requireState(asked.ifState, state, plan);
      await requireQuotaFor(tx, accountId, plan, limit);
      const isWritten = !dryRun && agentId !== null;
      const parts: PlannedPart[] = [];
      for (const { secret, ...webhook } of plan) {
        if (webhook.action === 'create' && !checked.has(webhook.name)) throw changedMeanwhile(webhook.name);
        const made = isWritten ? await this.write(tx, { accountId, agentId }, { ...webhook, secret }) : undefined;
        const { fields: _, differing: __, ...shown } = webhook;
        parts.push({ kind: 'webhook', ...shown, secret: null, ...made });
      }
      if (isWritten) tx.afterCommit(() => this.worker.runSoon());
      return { parts, state };
    });
  }

  /** The URLs that would be new, after the address guard has looked at them. Errors: VALIDATION_ERROR. */
  private async checkNew(accountId: string, agentId: string | null, urls: string[]): Promise<Set<string>> {
    const rows = agentId === null ? [] : await endpointsOfAgent(this.database, accountId, agentId);
    const known = new Set(rows.map(({ url }) => url));
    const fresh = urls.filter((url) => !known.has(url));
    await Promise.all(fresh.map((url) => checkRegisteredUrl(url, this.policy, `webhooks.${url}`)));
    return new Set(fresh);
  }

  private async write(
    tx: Transaction,
    { accountId, agentId }: { accountId: string; agentId: string },
    { id, name: url, action, fields, secret, changes }: PlannedWebhook,
  ): Promise<Made | undefined> {
    const given = { url, agentIds: [agentId], ...fields };
    const audited = { fields: changes.map(({ field }) => field) };
    if (action === 'create') {
      const [made, signedWith] = [newId(), secret ?? this.secrets.create()];
      await addEndpoint(tx, accountId, { ...given, id: made, sealedSecret: this.secrets.seal(signedWith, made) });
      await recordAudit(tx, { action: 'webhook_endpoint.created', target: target(made), ...audited });
      return { id: made, secret: secret === undefined ? signedWith : null };
    }
    if (id === null || action === 'none') return undefined;
    if (action === 'delete') {
      await deleteOfEndpoint(tx, id);
      await deleteEndpoint(tx, id);
      await recordAudit(tx, { action: 'webhook_endpoint.deleted', target: target(id) });
      return undefined;
    }
    await updateEndpoint(tx, id, given);
    await recordAudit(tx, { action: 'webhook_endpoint.updated', target: target(id), ...audited });
    if (secret !== undefined) {
      await rotateSecret(tx, id, this.secrets.seal(secret, id));
      await recordAudit(tx, { action: 'webhook_endpoint.secret_rotated', target: target(id) });
    }
    return undefined;
  }
}

const target = (id: string) => ({ type: 'webhook_endpoint', id });

/** Errors: QUOTA_EXCEEDED. */
async function requireQuotaFor(
  tx: Transaction,
  accountId: string,
  plan: PlannedWebhook[],
  limit: number,
): Promise<void> {
  const more = plan.filter(({ action }) => action === 'create').length;
  const count = () => countEndpoints(tx, accountId);
  if (more > 0) await requireQuota(tx, { accountId, quota: 'webhook_endpoints', limit, count, more });
}

function changedMeanwhile(url: string): RoostError {
  return new RoostError('CONFLICT', `the webhook ${url} was deleted meanwhile: apply again`, [
    { reason: 'changed_meanwhile' },
  ]);
}
