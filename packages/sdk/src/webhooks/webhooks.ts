import { type Core, dataOf, idOf } from '../core.js';
import {
  webhooksCreate,
  webhooksDelete,
  webhooksDeliveries,
  webhooksDelivery,
  webhooksGet,
  webhooksList,
  webhooksReplay,
  webhooksRetry,
  webhooksRotate,
  webhooksTest,
  webhooksUpdate,
} from '../generated/sdk.gen.js';
import type {
  WebhooksCreateData,
  WebhooksCreateResponses,
  WebhooksDeliveriesData,
  WebhooksDeliveriesResponses,
  WebhooksDeliveryResponses,
  WebhooksListResponses,
  WebhooksReplayData,
  WebhooksReplayResponses,
  WebhooksUpdateData,
} from '../generated/types.gen.js';
import { Listing } from '../listing.js';
import type { CallOptions } from '../transport/transport.js';

export type WebhookEndpoint = WebhooksListResponses[200]['endpoints'][number];
/** As it is made: the one time that its secret is shown. */
export type WebhookEndpointSecret = WebhooksCreateResponses[201];
export type WebhookDelivery = WebhooksDeliveriesResponses[200]['deliveries'][number];
export type WebhookDeliveryDetails = WebhooksDeliveryResponses[200];
export type DeliveryQuery = Omit<NonNullable<WebhooksDeliveriesData['query']>, 'before' | 'limit'>;

/** Where Roost sends what happens, and what became of it. */
export class Webhooks {
  readonly endpoints: WebhookEndpoints;
  readonly deliveries: WebhookDeliveries;

  constructor(core: Core) {
    this.endpoints = new WebhookEndpoints(core);
    this.deliveries = new WebhookDeliveries(core);
  }
}

export class WebhookEndpoints {
  constructor(private readonly core: Core) {}

  create(endpoint: WebhooksCreateData['body'], options?: CallOptions): Promise<WebhookEndpointSecret> {
    return dataOf(webhooksCreate({ ...this.core.by(options), body: endpoint }));
  }

  async list(query: { agent_id?: string } = {}, options?: CallOptions): Promise<WebhookEndpoint[]> {
    return (await dataOf(webhooksList({ ...this.core.by(options), query }))).endpoints;
  }

  get(id: string, options?: CallOptions): Promise<WebhookEndpoint> {
    return dataOf(webhooksGet(this.call(id, options)));
  }

  update(id: string, change: WebhooksUpdateData['body'], options?: CallOptions): Promise<WebhookEndpoint> {
    return dataOf(webhooksUpdate({ ...this.call(id, options), body: change }));
  }

  delete(id: string, options?: CallOptions): Promise<{ id: string }> {
    return dataOf(webhooksDelete(this.call(id, options)));
  }

  /** A new secret; for 24 h deliveries are signed with both. */
  rotateSecret(id: string, options?: CallOptions): Promise<WebhookEndpointSecret> {
    return dataOf(webhooksRotate(this.call(id, options)));
  }

  /** Sends a `webhook.test`. */
  test(id: string, options?: CallOptions): Promise<WebhookDelivery> {
    return dataOf(webhooksTest(this.call(id, options)));
  }

  /** Sends again what was sent since then. */
  replay(id: string, choice: WebhooksReplayData['body'], options?: CallOptions): Promise<WebhooksReplayResponses[202]> {
    return dataOf(webhooksReplay({ ...this.call(id, options), body: choice }));
  }

  private call(id: string, options: CallOptions | undefined) {
    return { ...this.core.by(options), path: { id: idOf(id, 'an endpoint') } };
  }
}

export class WebhookDeliveries {
  constructor(private readonly core: Core) {}

  /** The newest first. */
  list(query: DeliveryQuery = {}, options?: CallOptions): Listing<WebhookDelivery> {
    return Listing.of<WebhookDelivery, string>(async (before) => {
      const sent = { ...query, limit: 100, ...(before === undefined ? {} : { before }) };
      const answer = await dataOf(webhooksDeliveries({ ...this.core.by(options), query: sent }));
      return { items: answer.deliveries, next: answer.has_more ? answer.deliveries.at(-1)?.id : undefined };
    });
  }

  /** With each attempt. */
  get(id: string, options?: CallOptions): Promise<WebhookDeliveryDetails> {
    return dataOf(webhooksDelivery(this.call(id, options)));
  }

  retry(id: string, options?: CallOptions): Promise<WebhookDelivery> {
    return dataOf(webhooksRetry(this.call(id, options)));
  }

  private call(id: string, options: CallOptions | undefined) {
    return { ...this.core.by(options), path: { id: idOf(id, 'a delivery') } };
  }
}
