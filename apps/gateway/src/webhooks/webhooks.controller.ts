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
  id: z.string().refine((id) => {
    if (!z.uuid().safeParse(id).success)
      throw new RoostError('NOT_FOUND', 'there is no such webhook endpoint or delivery');
    return true;
  }),
});
type Params = z.output<typeof Params>;
const EndpointsQuery = wire({ agentId: AgentId.optional() });
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
    response: listWebhookEndpoints.output,
  })
  list(@Query(EndpointsQuery) query: EndpointsQuery) {
    return this.bus.request(listWebhookEndpoints, query);
  }

  @Get('endpoints/:id')
  @Endpoint({ access: 'account', summary: 'Get a webhook endpoint', response: WebhookEndpoint, errors: ['NOT_FOUND'] })
  get(@Param(Params) { id }: Params) {
    return this.bus.request(getWebhookEndpoint, { endpointId: id });
  }

  @Patch('endpoints/:id')
  @Endpoint({
    access: 'account',
    summary: 'Change a webhook endpoint',
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
    response: listWebhookDeliveries.output,
  })
  deliveries(@Query(ListWebhookDeliveries) query: ListWebhookDeliveries) {
    return this.bus.request(listWebhookDeliveries, query);
  }

  @Get('deliveries/:id')
  @Endpoint({
    access: 'account',
    summary: 'Get a webhook delivery with its attempts',
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
    response: WebhookDelivery,
    status: 202,
    errors: ['NOT_FOUND', 'CONFLICT'],
  })
  retry(@Param(Params) { id }: Params) {
    return this.bus.request(retryWebhookDelivery, { deliveryId: id });
  }
}
