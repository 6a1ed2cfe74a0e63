import { partsState, planByName, type Planned } from '#lib/apply-plan';
import {
  type DocumentedWebhook,
  type ErrorDetail,
  type PlannedChange,
  RoostError,
  type WebhookEndpoint,
} from '#lib/contracts';
import type { EndpointRow } from '../endpoints/endpoints.repository.js';

export type WebhookFields = Pick<WebhookEndpoint, 'events' | 'description' | 'enabled'>;

/** `name` is the URL. */
export interface PlannedWebhook extends Planned<WebhookFields> {
  /** What it is to be signed with from now on; undefined: as it is, or what is made for a new one. */
  secret?: string | undefined;
}

/**
 * What makes the webhook endpoints of an agent as a document says, by their URLs. `isSecretOf`: whether that is the
 * present secret of an endpoint. Errors: CONFLICT, VALIDATION_ERROR.
 */
export function planWebhooks(
  { webhooks, prune }: { webhooks: Record<string, DocumentedWebhook>; prune: boolean },
  rows: EndpointRow[],
  isSecretOf: (secret: string, row: EndpointRow) => boolean,
): PlannedWebhook[] {
  const byId = new Map(rows.map((row) => [row.id, row]));
  const wanted = Object.fromEntries(Object.entries(webhooks).map(([url, { secret: _, ...fields }]) => [url, fields]));
  const planned = planByName<WebhookFields>(WEBHOOK, rows.map(presentWebhook), wanted, prune);
  const missing: ErrorDetail[] = [];
  const all = planned.map((webhook): PlannedWebhook => {
    const { secret } = (Object.hasOwn(webhooks, webhook.name) && webhooks[webhook.name]) || {};
    const row = webhook.id === null ? undefined : byId.get(webhook.id);
    if (secret === undefined || webhook.action === 'delete') return webhook;
    if (typeof secret === 'string') return row && isSecretOf(secret, row) ? webhook : withSecret(webhook, secret);
    if (!row) missing.push(missingSecret(webhook.name, secret.fromEnv));
    return webhook;
  });
  const [first] = missing;
  if (first) throw new RoostError('VALIDATION_ERROR', `${first.field}: ${String(first['message'])}`, missing);
  return all;
}

/** Of these endpoints, with whether their secrets were changed. */
export function webhooksState(rows: EndpointRow[]): string {
  return partsState(
    rows.map((row) => {
      const { fields, ...named } = presentWebhook(row);
      return { ...named, fields: { ...fields, secret: row.sealed_secret } };
    }),
  );
}

function withSecret(webhook: PlannedWebhook, secret: string): PlannedWebhook {
  const change: PlannedChange = {
    field: 'secret',
    change: webhook.action === 'create' ? 'added' : 'changed',
    ...{ from: null, to: null, isSecret: true },
  };
  const action = webhook.action === 'none' ? 'update' : webhook.action;
  return { ...webhook, action, secret, changes: [...webhook.changes, change] };
}

const missingSecret = (url: string, name: string): ErrorDetail => ({
  field: `webhooks.${url}.secret`,
  reason: 'missing_secret',
  message: `${name} is not set, and there is no value yet`,
  from_env: name,
});

const WEBHOOK = {
  what: 'webhook',
  path: 'webhooks',
  defaults: { description: null, enabled: true },
  required: ['events'] as const,
};

const presentWebhook = ({ id, url, events, description, enabled }: EndpointRow) => ({
  id,
  name: url,
  fields: { events, description, enabled },
});
