import { buildCommand, buildRouteMap } from '@stricli/core';
import { type Cli, type Common, common } from '../cli.js';
import { clean } from '../output/clean.js';
import { ago } from '../output/table.js';
import { listen } from './listen.js';

const endpointArgument = { brief: 'Id of the endpoint', placeholder: 'endpoint', parse: String };
const oneEndpoint = { kind: 'tuple', parameters: [endpointArgument] } as const;

const list = buildCommand({
  docs: { brief: 'The endpoints that Roost sends webhooks to' },
  parameters: { flags: common },
  async func(this: Cli, flags: Common) {
    const endpoints = await this.connect(flags).webhooks.endpoints.list();
    if (flags.json) return this.out.json(endpoints);
    const rows = endpoints.map((one) => [
      one.id,
      one.enabled
        ? one.failing_since
          ? `failing since ${ago(one.failing_since)}`
          : 'enabled'
        : (one.disabled_reason ?? 'disabled'),
      one.events.join(','),
      one.url,
    ]);
    this.out.table(['ID', 'STATE', 'EVENTS', 'URL'], rows, 'No endpoints. Make one with: roost webhooks create URL');
  },
});

const create = buildCommand({
  docs: { brief: 'Add an endpoint; its secret is printed this once' },
  parameters: {
    flags: {
      ...common,
      events: {
        kind: 'parsed',
        parse: String,
        variadic: ',',
        optional: true,
        brief: 'E.g. message.completed,message.failed; all if not given',
      },
    },
    positional: { kind: 'tuple', parameters: [{ brief: 'Where to', placeholder: 'url', parse: String }] },
  },
  async func(this: Cli, flags: Common & { events?: readonly string[] }, url: string) {
    // The API says which events there are.
    const events = (flags.events ?? ['*']) as '*'[];
    const made = await this.connect(flags).webhooks.endpoints.create({ url, events });
    if (flags.json) return this.out.json(made);
    this.out.line(`id      ${made.endpoint.id}\nsecret  ${made.secret}   (shown this once)`);
  },
});

const remove = buildCommand({
  docs: { brief: 'Remove an endpoint and its deliveries' },
  parameters: { flags: common, positional: oneEndpoint },
  async func(this: Cli, flags: Common, id: string) {
    const result = await this.connect(flags).webhooks.endpoints.delete(id);
    if (flags.json) this.out.json(result);
    else this.out.line('deleted');
  },
});

const test = buildCommand({
  docs: { brief: 'Send a webhook.test to an endpoint' },
  parameters: { flags: common, positional: oneEndpoint },
  async func(this: Cli, flags: Common, id: string) {
    const delivery = await this.connect(flags).webhooks.endpoints.test(id);
    if (flags.json) this.out.json(delivery);
    else this.out.line(`sent; see it with: roost webhooks deliveries ${clean(id)}`);
  },
});

const deliveries = buildCommand({
  docs: { brief: 'What was sent, the newest first' },
  parameters: {
    flags: common,
    positional: { kind: 'tuple', parameters: [{ ...endpointArgument, optional: true }] },
  },
  async func(this: Cli, flags: Common, id?: string) {
    const query = id === undefined ? {} : { endpoint_id: id };
    const found = await this.connect(flags).webhooks.deliveries.list(query).toArray(100);
    if (flags.json) return this.out.json(found);
    const rows = found.map((one) => [
      one.id,
      one.status,
      one.attempt_count,
      one.last_response_status,
      ago(one.created_at),
      one.event,
    ]);
    this.out.table(['ID', 'STATUS', 'TRIES', 'ANSWER', 'WHEN', 'EVENT'], rows, 'Nothing was sent yet.');
  },
});

const retry = buildCommand({
  docs: { brief: 'Send one delivery again' },
  parameters: {
    flags: common,
    positional: {
      kind: 'tuple',
      parameters: [{ brief: 'Id of the delivery', placeholder: 'delivery', parse: String }],
    },
  },
  async func(this: Cli, flags: Common, id: string) {
    const delivery = await this.connect(flags).webhooks.deliveries.retry(id);
    if (flags.json) this.out.json(delivery);
    else this.out.line('will be sent');
  },
});

export const webhooks = buildRouteMap({
  docs: { brief: 'What Roost sends to your systems' },
  routes: { list, create, delete: remove, test, deliveries, retry, listen },
});
