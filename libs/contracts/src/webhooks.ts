import { z } from 'zod';
import { event, request } from './request.js';
import { AccountId, AgentId, Count, Timestamp, wire } from './wire.js';

/** spec: webhooks.md, "Events". */
export const WEBHOOK_EVENTS = [
  'message.completed',
  'message.failed',
  'agent.error',
  'agent.status_changed',
  'agent.deleted',
  'schedule.missed',
  'mcp.authorization_needed',
] as const;
export type WebhookEvent = (typeof WEBHOOK_EVENTS)[number];

const SUBSCRIBABLE = z.enum([...WEBHOOK_EVENTS, '*']);
const EndpointId = z.uuid();
const DeliveryId = z.uuid();

/** `whsec_` and 24 to 64 bytes in base64, as Standard Webhooks has it. */
export const WebhookSecret = z.string().refine((text) => {
  const bytes = /^whsec_([A-Za-z0-9+/]{32,88}={0,2})$/.exec(text)?.[1];
  if (!bytes || bytes.length % 4 !== 0) return false;
  const length = (bytes.length / 4) * 3 - (bytes.match(/=/g)?.length ?? 0);
  return length >= 24 && length <= 64;
}, 'must be whsec_ and 24 to 64 bytes in base64');

export const WebhookEndpoint = wire({
  id: EndpointId,
  /** `agent`: represents a URL in an agent's `configuration.webhooks` and is changed there. */
  source: z.enum(['account', 'agent']),
  url: z.string(),
  events: z.array(SUBSCRIBABLE),
  /** Null: of all agents. */
  agentIds: z.array(AgentId).nullable(),
  description: z.string().nullable(),
  enabled: z.boolean(),
  /** `gone` it answered 410 · `failing` for five days · null when the user did it, or it is enabled. */
  disabledReason: z.enum(['gone', 'failing']).nullable(),
  /** Since when every delivery has failed; null when the last one succeeded. */
  failingSince: Timestamp.nullable(),
  createdAt: Timestamp,
  updatedAt: Timestamp,
});
export type WebhookEndpoint = z.output<typeof WebhookEndpoint>;

/** The secret is in clear here and nowhere else. */
export const WebhookEndpointSecret = wire({ endpoint: WebhookEndpoint, secret: z.string() });

const changeable = {
  /** The guard explains what is wrong with one, also with one of 64 KiB. */
  url: z
    .string()
    .min(1)
    .max(100_000)
    .meta({ examples: ['https://example.org/roost'] }),
  events: z
    .array(SUBSCRIBABLE)
    .min(1)
    .max(WEBHOOK_EVENTS.length + 1),
  agentIds: z.array(AgentId).min(1).max(1_000).nullable(),
  description: z.string().max(500).nullable(),
  enabled: z.boolean(),
};

/** The body of `POST /v1/webhooks/endpoints`. */
export const NewWebhookEndpoint = wire({
  url: changeable.url,
  events: changeable.events,
  agentIds: changeable.agentIds.default(null),
  description: changeable.description.default(null),
  enabled: changeable.enabled.default(true),
  secret: WebhookSecret.optional(),
});
export type NewWebhookEndpoint = z.output<typeof NewWebhookEndpoint>;
const endpointChange = {
  url: changeable.url.optional(),
  events: changeable.events.optional(),
  agentIds: changeable.agentIds.optional(),
  description: changeable.description.optional(),
  enabled: changeable.enabled.optional(),
};
/** The body of `PATCH /v1/webhooks/endpoints/{id}`: absent fields stay. Enabling forgets earlier failures. */
export const WebhookEndpointChange = wire(endpointChange);
export type WebhookEndpointChange = z.output<typeof WebhookEndpointChange>;

const byEndpoint = wire({ endpointId: EndpointId });

/** Registers an endpoint; its secret is returned this once. Errors: VALIDATION_ERROR (also: what the address guard refuses), CONFLICT (100 per account). */
export const createWebhookEndpoint = request('webhooks.endpoint.create', {
  input: NewWebhookEndpoint,
  output: WebhookEndpointSecret,
  timeoutMs: 15_000,
});
/** All of the account, those of its agents' configurations included, oldest first; at most 1000. */
export const listWebhookEndpoints = request('webhooks.endpoint.list', {
  input: wire({ agentId: AgentId.optional() }),
  output: wire({ endpoints: z.array(WebhookEndpoint) }),
});
/** Errors: NOT_FOUND. */
export const getWebhookEndpoint = request('webhooks.endpoint.get', { input: byEndpoint, output: WebhookEndpoint });
/** Errors: NOT_FOUND, VALIDATION_ERROR, CONFLICT (all but `enabled` of an agent's endpoint is changed in its configuration). */
export const updateWebhookEndpoint = request('webhooks.endpoint.update', {
  input: wire({ endpointId: EndpointId, ...endpointChange }),
  output: WebhookEndpoint,
  timeoutMs: 15_000,
});
/** Its deliveries go with it. Errors: NOT_FOUND, CONFLICT (an agent's endpoint is removed in its configuration). */
export const deleteWebhookEndpoint = request('webhooks.endpoint.delete', {
  input: byEndpoint,
  output: wire({ id: EndpointId }),
});
/** A new secret, returned this once; for 24 h deliveries are signed with both. Errors: NOT_FOUND. */
export const rotateWebhookSecret = request('webhooks.endpoint.rotate-secret', {
  input: byEndpoint,
  output: WebhookEndpointSecret,
});

/** `pending` to be tried (again) · `dead` after the last retry · `blocked` by the address guard · `cancelled` as its agent was deleted. */
export const DeliveryStatus = z.enum(['pending', 'succeeded', 'dead', 'blocked', 'cancelled']);

const deliveryFields = {
  id: DeliveryId,
  endpointId: EndpointId,
  /** What receivers see as `webhook-id`. */
  webhookId: z.string(),
  agentId: AgentId.nullable(),
  event: z.string(),
  status: DeliveryStatus,
  attemptCount: Count,
  lastResponseStatus: Count.nullable(),
  /** Null unless pending. */
  nextAttemptAt: Timestamp.nullable(),
  createdAt: Timestamp,
  finishedAt: Timestamp.nullable(),
};
export const WebhookDelivery = wire(deliveryFields);
export type WebhookDelivery = z.output<typeof WebhookDelivery>;

export const WebhookAttempt = wire({
  number: Count,
  startedAt: Timestamp,
  durationMs: Count,
  responseStatus: Count.nullable(),
  /** The first 1 KiB. */
  responseBody: z.string(),
  error: z.string().nullable(),
});

export const WebhookDeliveryDetail = wire({
  ...deliveryFields,
  /** What is sent, as JSON text. */
  body: z.string(),
  attempts: z.array(WebhookAttempt),
});

/** The query of `GET /v1/webhooks/deliveries`. */
export const ListWebhookDeliveries = wire({
  agentId: AgentId.optional(),
  endpointId: EndpointId.optional(),
  status: DeliveryStatus.optional(),
  event: z.string().max(100).optional(),
  since: Timestamp.optional(),
  until: Timestamp.optional(),
  /** Older than this delivery. */
  before: DeliveryId.optional(),
  limit: z.coerce.number<number | string>().int().min(1).max(100).default(50),
});
export type ListWebhookDeliveries = z.output<typeof ListWebhookDeliveries>;
/** Newest first. */
export const listWebhookDeliveries = request('webhooks.delivery.list', {
  input: ListWebhookDeliveries,
  output: wire({ deliveries: z.array(WebhookDelivery), hasMore: z.boolean() }),
});
const byDelivery = wire({ deliveryId: DeliveryId });
/** With its last 100 attempts. Errors: NOT_FOUND. */
export const getWebhookDelivery = request('webhooks.delivery.get', {
  input: byDelivery,
  output: WebhookDeliveryDetail,
});
/** Tries a delivery again now, with the same `webhook-id` and a new schedule. Errors: NOT_FOUND, CONFLICT (endpoint disabled, agent deleted). */
export const retryWebhookDelivery = request('webhooks.delivery.retry', { input: byDelivery, output: WebhookDelivery });
/** Sends a `webhook.test` event to one endpoint. Errors: NOT_FOUND, CONFLICT (disabled). */
export const testWebhookEndpoint = request('webhooks.endpoint.test', { input: byEndpoint, output: WebhookDelivery });

const replayFields = { since: Timestamp, until: Timestamp.optional(), status: DeliveryStatus.optional() };
/** The body of `POST /v1/webhooks/endpoints/{id}/replay`. */
export const ReplayWebhooks = wire(replayFields);
export type ReplayWebhooks = z.output<typeof ReplayWebhooks>;
export const ReplayedWebhooks = wire({ replayed: Count });
/** Sends again what an endpoint was sent in a time, at most 10 000; the `webhook-id`s stay; of deleted agents `agent.deleted` alone. Errors: NOT_FOUND, CONFLICT (disabled). */
export const replayWebhooks = request('webhooks.endpoint.replay', {
  input: wire({ endpointId: EndpointId, ...replayFields }),
  output: ReplayedWebhooks,
  timeoutMs: 30_000,
});

/** An endpoint was disabled by what it answered, not by its user. */
export const webhookEndpointDisabled = event(
  'webhooks.endpoint.disabled',
  wire({ accountId: AccountId, endpointId: EndpointId, reason: z.enum(['gone', 'failing']), occurredAt: Timestamp }),
);
