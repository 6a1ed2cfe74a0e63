import { type Receiver, startReceiver } from '../../../apps/webhook-dispatch/test/receiver.js';
import type { Record } from '../record.js';
import type { Client } from './client.js';
import { Expected } from './expected.js';

/** A receiver of `message.completed` of all agents, which answers at once and writes down what it got. */
export class WebhookLoad {
  /** By the id of the message that was answered. */
  readonly deliveries = new Expected();
  private receiver: Receiver | undefined;

  constructor(
    private readonly client: Client,
    private readonly record: Record,
  ) {}

  async prepare(): Promise<void> {
    const receiver = await startReceiver((response) => {
      for (const { id, body } of receiver.received.splice(0)) this.take(id, body);
      response.writeHead(204).end();
    });
    this.receiver = receiver;
    await this.client.ask('POST', '/v1/webhooks/endpoints', { url: receiver.url, events: ['message.completed'] });
  }

  stop(): void {
    this.receiver?.close();
  }

  private take(id: string, body: string): void {
    const { type, data } = JSON.parse(body) as { type: string; data: { message: { id: string } } };
    this.record.write({ kind: 'webhook', id, type, message: data.message.id });
    this.deliveries.arrive(data.message.id);
  }
}
