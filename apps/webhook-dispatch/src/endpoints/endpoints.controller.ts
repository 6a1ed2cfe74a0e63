import { Handles } from '#lib/bus';
import { accountOf, type CallContext } from '#lib/call-context';
import {
  createWebhookEndpoint,
  deleteWebhookEndpoint,
  getWebhookEndpoint,
  listWebhookEndpoints,
  rotateWebhookSecret,
  updateWebhookEndpoint,
} from '#lib/contracts';
import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { EndpointsService } from './endpoints.service.js';

type Input<C extends { input: z.ZodType }> = z.output<C['input']>;

@Controller()
export class EndpointsController {
  constructor(private readonly endpoints: EndpointsService) {}

  @Handles(createWebhookEndpoint)
  create(input: Input<typeof createWebhookEndpoint>, context: CallContext) {
    return this.endpoints.create(accountOf(context), input);
  }

  @Handles(listWebhookEndpoints)
  list({ agentId }: Input<typeof listWebhookEndpoints>, context: CallContext) {
    return this.endpoints.list(accountOf(context), agentId);
  }

  @Handles(getWebhookEndpoint)
  get({ endpointId }: Input<typeof getWebhookEndpoint>, context: CallContext) {
    return this.endpoints.get(accountOf(context), endpointId);
  }

  @Handles(updateWebhookEndpoint)
  update({ endpointId, ...change }: Input<typeof updateWebhookEndpoint>, context: CallContext) {
    return this.endpoints.update(accountOf(context), endpointId, change);
  }

  @Handles(deleteWebhookEndpoint)
  delete({ endpointId }: Input<typeof deleteWebhookEndpoint>, context: CallContext) {
    return this.endpoints.delete(accountOf(context), endpointId);
  }

  @Handles(rotateWebhookSecret)
  rotate({ endpointId }: Input<typeof rotateWebhookSecret>, context: CallContext) {
    return this.endpoints.rotateSecret(accountOf(context), endpointId);
  }
}
