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
  'budget.threshold',
  'budget.exhausted',
  'budget.reset',
  'approval.requested',
  'approval.decided',
  'approval.expired',
  'vault_secret.created',
  'vault_secret.updated',
  'vault_secret.rotated',
  'vault_secret.deleted',
  'vault_grant.created',
  'vault_grant.updated',
  'vault_grant.deleted',
] as const;
export type WebhookEvent = (typeof WEBHOOK_EVENTS)[number];

const SUBSCRIBABLE = z.enum([...WEBHOOK_EVENTS, '*']).meta({
  id: 'WebhookSubscription',
  description: 'A type of event, or `*` for all of them, those of later versions too.',
});
const EndpointId = z.uuid().describe('The endpoint’s id.');
const DeliveryId = z.uuid().describe('The delivery’s id.');

/** `whsec_` and 24 to 64 bytes in base64, as Standard Webhooks has it. */
export const WebhookSecret = z
  .string()
  .refine((text) => {
    const bytes = /^whsec_([A-Za-z0-9+/]{32,88}={0,2})$/.exec(text)?.[1];
    if (!bytes || bytes.length % 4 !== 0) return false;
    const length = (bytes.length / 4) * 3 - (bytes.match(/=/g)?.length ?? 0);
    return length >= 24 && length <= 64;
  }, 'must be whsec_ and 24 to 64 bytes in base64')
  .describe('A signing secret of yours: `whsec_` and 24 to 64 bytes in base64. One is made if not given.');

export const WebhookEndpoint = wire({
  id: EndpointId,
  source: z
    .enum(['account', 'agent'])
    .describe('`agent`: it stands for a URL in an agent’s `configuration.webhooks` and is changed there.'),
  url: z.string().describe('Where events are sent.'),
  events: z.array(SUBSCRIBABLE).describe('Which events.'),
  agentIds: z.array(AgentId).nullable().describe('Of which agents; null: of all.'),
  description: z.string().nullable().describe('What it is for.'),
  enabled: z.boolean().describe('Whether events are sent to it.'),
  disabledReason: z
    .enum(['gone', 'failing'])
    .nullable()
    .describe(
      'Why it is disabled: it answered 410 (`gone`), or failed for five days (`failing`). Null when you did it, or it is enabled.',
    ),
  failingSince: Timestamp.nullable().describe(
    'Since when every delivery has failed; null when the last one succeeded.',
  ),
  createdAt: Timestamp.describe('When it was registered.'),
  updatedAt: Timestamp.describe('When it was last changed.'),
}).meta({ id: 'WebhookEndpoint', description: 'An HTTP endpoint of yours that gets events.' });
export type WebhookEndpoint = z.output<typeof WebhookEndpoint>;

/** The secret is in clear here and nowhere else. */
export const WebhookEndpointSecret = wire({
  endpoint: WebhookEndpoint,
  secret: z.string().describe('What its deliveries are signed with, `whsec_…`. Shown this once.'),
}).meta({ id: 'WebhookEndpointSecret', description: 'An endpoint with its secret.' });

const changeable = {
  /** The guard explains what is wrong with one, also with one of 64 KiB. */
  url: z
    .string()
    .min(1)
    .max(100_000)
    .meta({
      description:
        'Where events are sent: a public `https` address, with port 443, 80 or one from 1024, no credentials in it. (`npm start` on your own machine allows `http` and local addresses.)',
      examples: ['https://example.org/roost'],
    }),
  events: z
    .array(SUBSCRIBABLE)
    .min(1)
    .max(WEBHOOK_EVENTS.length + 1)
    .describe('Which events it gets.'),
  agentIds: z.array(AgentId).min(1).max(1_000).nullable().describe('Of which agents, at most 1,000; null: of all.'),
  description: z.string().max(500).nullable().describe('What it is for, in your words.'),
  enabled: z.boolean().describe('Whether events are sent to it. Enabling forgets earlier failures.'),
};

/** The body of `POST /v1/webhooks/endpoints`. */
export const NewWebhookEndpoint = wire({
  url: changeable.url,
  events: changeable.events,
  agentIds: changeable.agentIds.default(null),
  description: changeable.description.default(null),
  enabled: changeable.enabled.default(true),
  secret: WebhookSecret.optional(),
}).meta({ id: 'NewWebhookEndpoint', description: 'A new endpoint.' });
export type NewWebhookEndpoint = z.output<typeof NewWebhookEndpoint>;
export const webhookChangeFields = {
  url: changeable.url.optional(),
  events: changeable.events.optional(),
  agentIds: changeable.agentIds.optional(),
  description: changeable.description.optional(),
  enabled: changeable.enabled.optional(),
};
/** The body of `PATCH /v1/webhooks/endpoints/{id}`: absent fields stay. Enabling forgets earlier failures. */
export const WebhookEndpointChange = wire(webhookChangeFields).meta({
  id: 'WebhookEndpointChange',
  description: 'A change of an endpoint: what is left out stays.',
});
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
  output: wire({ endpoints: z.array(WebhookEndpoint).describe('Oldest first, at most 1,000.') }),
});
/** Errors: NOT_FOUND. */
export const getWebhookEndpoint = request('webhooks.endpoint.get', { input: byEndpoint, output: WebhookEndpoint });
/** Errors: NOT_FOUND, VALIDATION_ERROR, CONFLICT (all but `enabled` of an agent's endpoint is changed in its configuration). */
export const updateWebhookEndpoint = request('webhooks.endpoint.update', {
  input: wire({ endpointId: EndpointId, ...webhookChangeFields }),
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

export const DeliveryStatus = z.enum(['pending', 'succeeded', 'dead', 'blocked', 'cancelled']).meta({
  id: 'DeliveryStatus',
  description:
    '`pending`: to be tried, perhaps again. `succeeded`: answered 2xx. `dead`: failed ten times. `blocked`: its address may not be called. `cancelled`: its agent was deleted, or its URL is no longer in the agent’s configuration.',
});

const deliveryFields = {
  id: DeliveryId,
  endpointId: EndpointId,
  webhookId: z.string().describe('What the receiver sees as `webhook-id`: the same in every try.'),
  agentId: AgentId.nullable().describe('The agent it is about; null when it is about none.'),
  event: z.string().describe('The type of the event.'),
  status: DeliveryStatus,
  attemptCount: Count.describe('How often it was tried.'),
  lastResponseStatus: Count.nullable().describe('The HTTP status of the last answer; null without one.'),
  nextAttemptAt: Timestamp.nullable().describe('When it is tried next; null unless it is pending.'),
  createdAt: Timestamp.describe('When it was planned.'),
  finishedAt: Timestamp.nullable().describe('When it came to its end; null before.'),
};
export const WebhookDelivery = wire(deliveryFields).meta({
  id: 'WebhookDelivery',
  description: 'One event for one endpoint.',
});
export type WebhookDelivery = z.output<typeof WebhookDelivery>;

export const WebhookAttempt = wire({
  number: Count.describe('Which try it was, from 1.'),
  startedAt: Timestamp.describe('When it began.'),
  durationMs: Count.describe('How long it took, in milliseconds.'),
  responseStatus: Count.nullable().describe('The HTTP status that was answered; null without an answer.'),
  responseBody: z.string().describe('The first 1 KiB of the answer.'),
  error: z.string().nullable().describe('Why it failed; null when it succeeded.'),
}).meta({ id: 'WebhookAttempt', description: 'One try of a delivery.' });

export const WebhookDeliveryDetail = wire({
  ...deliveryFields,
  body: z.string().describe('What is sent, as JSON text.'),
  attempts: z.array(WebhookAttempt).describe('The last 100 tries, oldest first.'),
}).meta({ id: 'WebhookDeliveryDetail', description: 'A delivery with its body and its tries.' });

/** The query of `GET /v1/webhooks/deliveries`. */
export const ListWebhookDeliveries = wire({
  agentId: AgentId.optional().describe('Only those about this agent.'),
  endpointId: EndpointId.optional().describe('Only those to this endpoint.'),
  status: DeliveryStatus.optional().describe('Only those with this status.'),
  event: z.string().max(100).optional().describe('Only those of this type of event.'),
  since: Timestamp.optional().describe('Only those planned at this time or later.'),
  until: Timestamp.optional().describe('Only those planned before this time.'),
  before: DeliveryId.optional().describe('Only those older than this one: the id of the last one of the page before.'),
  limit: z.coerce.number<number | string>().int().min(1).max(100).default(50).describe('Most deliveries to return.'),
});
export type ListWebhookDeliveries = z.output<typeof ListWebhookDeliveries>;
/** Newest first. */
export const listWebhookDeliveries = request('webhooks.delivery.list', {
  input: ListWebhookDeliveries,
  output: wire({
    deliveries: z.array(WebhookDelivery).describe('Newest first.'),
    hasMore: z.boolean().describe('Whether there are older ones.'),
  }),
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

const replayFields = {
  since: Timestamp.describe('What was planned at this time or later.'),
  until: Timestamp.optional().describe('What was planned before this time; until now if not given.'),
  status: DeliveryStatus.optional().describe('Only what has this status, such as `dead`.'),
};
/** The body of `POST /v1/webhooks/endpoints/{id}/replay`. */
export const ReplayWebhooks = wire(replayFields).meta({
  id: 'ReplayWebhooks',
  description: 'What is to be sent again.',
});
export type ReplayWebhooks = z.output<typeof ReplayWebhooks>;
export const ReplayedWebhooks = wire({ replayed: Count.describe('How many are sent again: at most 10,000.') });
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
