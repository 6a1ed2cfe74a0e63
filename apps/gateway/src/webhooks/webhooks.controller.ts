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
import { Controller, Delete, Get, Patch, Post } from '@nestjs/common';
import { z } from 'zod';
import { Body, Param, Query } from '../http/arguments.js';
import { Endpoint, Tag } from '../http/endpoint.js';

/** What is no id at all is answered as an unknown one is. */
const Params = z.looseObject({
  id: z
    .string()
    .refine((id) => {
      if (!z.uuid().safeParse(id).success)
        throw new RoostError('NOT_FOUND', 'there is no such webhook endpoint or delivery');
      return true;
    })
    .describe('The id of the endpoint, or of the delivery.'),
});
type Params = z.output<typeof Params>;
const EndpointsQuery = wire({ agentId: AgentId.optional().describe('Only those that get events of this agent.') });
type EndpointsQuery = z.output<typeof EndpointsQuery>;

/** spec: webhooks.md */
@Tag('Webhooks')
@Controller('v1/webhooks')
export class WebhooksController {
  constructor(private readonly bus: Bus) {}

  @Post('endpoints')
  @Endpoint({
    access: 'account',
    summary: 'Register a webhook endpoint; its secret is shown this once',
    description:
      'From now on the events it wants are sent to it. The address is checked: a private one is 400. At most 100 endpoints.',
    responseDescription: 'The endpoint and its secret.',
    response: WebhookEndpointSecret,
    status: 201,
    errors: ['QUOTA_EXCEEDED'],
  })
  create(@Body(NewWebhookEndpoint) body: NewWebhookEndpoint) {
    return this.bus.request(createWebhookEndpoint, body);
  }

  @Get('endpoints')
  @Endpoint({
    access: 'account',
    summary: "List webhook endpoints, those of agents' configurations included",
    description: 'Oldest first; with `agent_id` those that get events of that agent.',
    responseDescription: 'The endpoints.',
    response: listWebhookEndpoints.output,
  })
  list(@Query(EndpointsQuery) query: EndpointsQuery) {
    return this.bus.request(listWebhookEndpoints, query);
  }

  @Get('endpoints/:id')
  @Endpoint({
    access: 'account',
    summary: 'Get a webhook endpoint',
    description: 'Never with its secret.',
    responseDescription: 'The endpoint.',
    response: WebhookEndpoint,
    errors: ['NOT_FOUND'],
  })
  get(@Param(Params) { id }: Params) {
    return this.bus.request(getWebhookEndpoint, { endpointId: id });
  }

  @Patch('endpoints/:id')
  @Endpoint({
    access: 'account',
    summary: 'Change a webhook endpoint',
    description:
      'What is left out stays. Enabling one again sends what waited. Of an endpoint with `source: agent` only `enabled` can be changed here (else 409).',
    responseDescription: 'The endpoint after the change.',
    example: { enabled: false },
    response: WebhookEndpoint,
    errors: ['NOT_FOUND', 'CONFLICT'],
  })
  update(@Param(Params) { id }: Params, @Body(WebhookEndpointChange) body: WebhookEndpointChange) {
    return this.bus.request(updateWebhookEndpoint, { ...body, endpointId: id });
  }

  @Delete('endpoints/:id')
  @Endpoint({
    access: 'account',
    summary: 'Delete a webhook endpoint and its history',
    description:
      'What waits for it is not sent. One with `source: agent` is 409: take its URL out of the agent’s configuration.',
    responseDescription: 'It is deleted.',
    response: deleteWebhookEndpoint.output,
    errors: ['NOT_FOUND', 'CONFLICT'],
  })
  delete(@Param(Params) { id }: Params) {
    return this.bus.request(deleteWebhookEndpoint, { endpointId: id });
  }

  @Post('endpoints/:id/rotate-secret')
  @Endpoint({
    access: 'account',
    summary: 'Replace the signing secret; the old one stays valid for 24 hours',
    description: 'Deliveries are signed with both meanwhile, so that a receiver can change without a gap.',
    responseDescription: 'The endpoint and its new secret.',
    response: WebhookEndpointSecret,
    errors: ['NOT_FOUND'],
  })
  rotate(@Param(Params) { id }: Params) {
    return this.bus.request(rotateWebhookSecret, { endpointId: id });
  }

  @Post('endpoints/:id/test')
  @Endpoint({
    access: 'account',
    summary: 'Send a test event',
    description:
      'A `webhook.test`, whatever the endpoint has subscribed to. Look at what became of it under `GET /v1/webhooks/deliveries/{id}`. 409: the endpoint is disabled.',
    responseDescription: 'The delivery, which is on its way.',
    response: WebhookDelivery,
    status: 202,
    errors: ['NOT_FOUND', 'CONFLICT'],
  })
  test(@Param(Params) { id }: Params) {
    return this.bus.request(testWebhookEndpoint, { endpointId: id });
  }

  @Post('endpoints/:id/replay')
  @Endpoint({
    access: 'account',
    summary: 'Send again what an endpoint was sent',
    description:
      'What was planned for it in a time, at most 10,000, with the same `webhook-id`s: receivers can tell what they have seen. Of deleted agents `agent.deleted` alone.',
    responseDescription: 'How many are on their way.',
    response: ReplayedWebhooks,
    status: 202,
    errors: ['NOT_FOUND', 'CONFLICT'],
  })
  replay(@Param(Params) { id }: Params, @Body(ReplayWebhooks) body: ReplayWebhooks) {
    return this.bus.request(replayWebhooks, { ...body, endpointId: id });
  }

  @Get('deliveries')
  @Endpoint({
    access: 'account',
    summary: 'List webhook deliveries, newest first',
    description: 'The history of 30 days. To page, give the id of the last one as `before`.',
    responseDescription: 'Deliveries.',
    response: listWebhookDeliveries.output,
  })
  deliveries(@Query(ListWebhookDeliveries) query: ListWebhookDeliveries) {
    return this.bus.request(listWebhookDeliveries, query);
  }

  @Get('deliveries/:id')
  @Endpoint({
    access: 'account',
    summary: 'Get a webhook delivery with its attempts',
    description: 'What is sent, and what the receiver answered to each try.',
    responseDescription: 'The delivery.',
    response: WebhookDeliveryDetail,
    errors: ['NOT_FOUND'],
  })
  delivery(@Param(Params) { id }: Params) {
    return this.bus.request(getWebhookDelivery, { deliveryId: id });
  }

  @Post('deliveries/:id/retry')
  @Endpoint({
    access: 'account',
    summary: 'Try a webhook delivery again now',
    description:
      'With the same `webhook-id` and a new set of tries. 409: the endpoint is disabled, or the agent deleted.',
    responseDescription: 'The delivery, which is on its way.',
    response: WebhookDelivery,
    status: 202,
    errors: ['NOT_FOUND', 'CONFLICT'],
  })
  retry(@Param(Params) { id }: Params) {
    return this.bus.request(retryWebhookDelivery, { deliveryId: id });
  }
}
