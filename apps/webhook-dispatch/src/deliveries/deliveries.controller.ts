import { Handles } from '#lib/bus';
import { accountOf, type CallContext } from '#lib/call-context';
import {
  getWebhookDelivery,
  listWebhookDeliveries,
  replayWebhooks,
  retryWebhookDelivery,
  testWebhookEndpoint,
} from '#lib/contracts';
import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { DeliveriesService } from './deliveries.service.js';

type Input<C extends { input: z.ZodType }> = z.output<C['input']>;

@Controller()
export class DeliveriesController {
  constructor(private readonly deliveries: DeliveriesService) {}

  @Handles(listWebhookDeliveries)
  list(query: Input<typeof listWebhookDeliveries>, context: CallContext) {
    return this.deliveries.list(accountOf(context), query);
  }

  @Handles(getWebhookDelivery)
  get({ deliveryId }: Input<typeof getWebhookDelivery>, context: CallContext) {
    return this.deliveries.get(accountOf(context), deliveryId);
  }

  @Handles(retryWebhookDelivery)
  retry({ deliveryId }: Input<typeof retryWebhookDelivery>, context: CallContext) {
    return this.deliveries.retry(accountOf(context), deliveryId);
  }

  @Handles(replayWebhooks)
  replay(choice: Input<typeof replayWebhooks>, context: CallContext) {
    return this.deliveries.replay(accountOf(context), choice);
  }

  @Handles(testWebhookEndpoint)
  test({ endpointId }: Input<typeof testWebhookEndpoint>, context: CallContext) {
    return this.deliveries.test(accountOf(context), endpointId);
  }
}
