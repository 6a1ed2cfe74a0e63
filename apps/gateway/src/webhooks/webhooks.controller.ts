import { Bus } from '#lib/bus';
import {
  AgentId,
  createWebhookEndpoint,
  deleteWebhookEndpoint,
  getWebhookDelivery,
  getWebhookEndpoint,
  listWebhookDeliveries,
  ListWebhookDeliveries,
  listWebhookEndpoints,
  NewWebhookEndpoint,
  ReplayedWebhooks,
  replayWebhooks,
  ReplayWebhooks,
  retryWebhookDelivery,
  RoostError,
  rotateWebhookSecret,
  testWebhookEndpoint,
  updateWebhookEndpoint,
  WebhookDelivery,
  WebhookDeliveryDetail,
  WebhookEndpoint,
  WebhookEndpointChange,
  WebhookEndpointSecret,
  wire,
} from '#lib/contracts';
import { Controller } from '@nestjs/common';
import { z } from 'zod';
import { type Call, Endpoint } from '../http/endpoint.js';

/** What is no id at all is answered as an unknown one is. */
const Params = z.looseObject({
  id: z.string().refine((id) => {
    if (!z.uuid().safeParse(id).success)
      throw new RoostError('NOT_FOUND', 'there is no such webhook endpoint or delivery');
    return true;
  }),
});
type ById = Call<z.output<typeof Params>>;
const EndpointsQuery = wire({ agentId: AgentId.optional() });
const common = { access: 'account', tag: 'Webhooks' } as const;
const byId = { ...common, params: Params };

/** spec: webhooks.md */
@Controller('v1/webhooks')
export class WebhooksController {
  constructor(private readonly bus: Bus) {}

  @Endpoint({
    ...common,
    method: 'POST',
    path: 'endpoints',
    summary: 'Register a webhook endpoint; its secret is shown this once',
    body: NewWebhookEndpoint,
    response: WebhookEndpointSecret,
    status: 201,
    errors: ['QUOTA_EXCEEDED'],
  })
  create({ body }: Call<unknown, unknown, z.output<typeof NewWebhookEndpoint>>) {
    return this.bus.request(createWebhookEndpoint, body);
  }

  @Endpoint({
    ...common,
    method: 'GET',
    path: 'endpoints',
    summary: "List webhook endpoints, those of agents' configurations included",
    query: EndpointsQuery,
    response: listWebhookEndpoints.output,
  })
  list({ query }: Call<unknown, z.output<typeof EndpointsQuery>>) {
    return this.bus.request(listWebhookEndpoints, query);
  }

  @Endpoint({
    ...byId,
    method: 'GET',
    path: 'endpoints/:id',
    summary: 'Get a webhook endpoint',
    response: WebhookEndpoint,
    errors: ['NOT_FOUND'],
  })
  get({ params }: ById) {
    return this.bus.request(getWebhookEndpoint, { endpointId: params.id });
  }

  @Endpoint({
    ...byId,
    method: 'PATCH',
    path: 'endpoints/:id',
    summary: 'Change a webhook endpoint',
    body: WebhookEndpointChange,
    example: { enabled: false },
    response: WebhookEndpoint,
    errors: ['NOT_FOUND', 'CONFLICT'],
  })
  update({ params, body }: Call<z.output<typeof Params>, unknown, z.output<typeof WebhookEndpointChange>>) {
    return this.bus.request(updateWebhookEndpoint, { ...body, endpointId: params.id });
  }

  @Endpoint({
    ...byId,
    method: 'DELETE',
    path: 'endpoints/:id',
    summary: 'Delete a webhook endpoint and its history',
    response: deleteWebhookEndpoint.output,
    errors: ['NOT_FOUND', 'CONFLICT'],
  })
  delete({ params }: ById) {
    return this.bus.request(deleteWebhookEndpoint, { endpointId: params.id });
  }

  @Endpoint({
    ...byId,
    method: 'POST',
    path: 'endpoints/:id/rotate-secret',
    summary: 'Replace the signing secret; the old one stays valid for 24 hours',
    response: WebhookEndpointSecret,
    errors: ['NOT_FOUND'],
  })
  rotate({ params }: ById) {
    return this.bus.request(rotateWebhookSecret, { endpointId: params.id });
  }

  @Endpoint({
    ...byId,
    method: 'POST',
    path: 'endpoints/:id/test',
    summary: 'Send a test event',
    response: WebhookDelivery,
    status: 202,
    errors: ['NOT_FOUND', 'CONFLICT'],
  })
  test({ params }: ById) {
    return this.bus.request(testWebhookEndpoint, { endpointId: params.id });
  }

  @Endpoint({
    ...byId,
    method: 'POST',
    path: 'endpoints/:id/replay',
    summary: 'Send again what an endpoint was sent',
    body: ReplayWebhooks,
    response: ReplayedWebhooks,
    status: 202,
    errors: ['NOT_FOUND', 'CONFLICT'],
  })
  replay({ params, body }: Call<z.output<typeof Params>, unknown, z.output<typeof ReplayWebhooks>>) {
    return this.bus.request(replayWebhooks, { ...body, endpointId: params.id });
  }

  @Endpoint({
    ...common,
    method: 'GET',
    path: 'deliveries',
    summary: 'List webhook deliveries, newest first',
    query: ListWebhookDeliveries,
    response: listWebhookDeliveries.output,
  })
  deliveries({ query }: Call<unknown, z.output<typeof ListWebhookDeliveries>>) {
    return this.bus.request(listWebhookDeliveries, query);
  }

  @Endpoint({
    ...byId,
    method: 'GET',
    path: 'deliveries/:id',
    summary: 'Get a webhook delivery with its attempts',
    response: WebhookDeliveryDetail,
    errors: ['NOT_FOUND'],
  })
  delivery({ params }: ById) {
    return this.bus.request(getWebhookDelivery, { deliveryId: params.id });
  }

  @Endpoint({
    ...byId,
    method: 'POST',
    path: 'deliveries/:id/retry',
    summary: 'Try a webhook delivery again now',
    response: WebhookDelivery,
    status: 202,
    errors: ['NOT_FOUND', 'CONFLICT'],
  })
  retry({ params }: ById) {
    return this.bus.request(retryWebhookDelivery, { deliveryId: params.id });
  }
}
