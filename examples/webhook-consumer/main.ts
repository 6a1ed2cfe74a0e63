/**
 * Receives Roost's webhooks in Express. What matters: the body stays as it came until its signature is checked, the
 * answer comes before the work, and an event that comes a second time is not handled again.
 */
import { verifyWebhook, type WebhookEvent, WebhookVerificationError } from '@roost-ai/sdk';
import express, { type Request, type Response } from 'express';

const { PORT = '8080', ROOST_WEBHOOK_SECRET = '' } = process.env;

/** A program of your own asks its database: a unique key on the id, inserted with what the event changes. */
const handled = new Set<string>();

const app = express();
// Not express.json(): the signature is over the bytes. The longest replies make webhooks of some 16 MB.
app.post('/roost', express.raw({ type: 'application/json', limit: '20mb' }), (request, response, next) => {
  receive(request, response).catch(next);
});
app.listen(Number(PORT), () => console.log(`Waiting for webhooks on http://localhost:${PORT}/roost`));

async function receive(request: Request, response: Response): Promise<void> {
  const event = await verified(request);
  if (!event) return void response.sendStatus(401);
  // The same in every try; it is signed, as the body is.
  const id = request.header('webhook-id') ?? '';
  response.sendStatus(204);
  if (handled.has(id)) return;
  handled.add(id);
  handle(event);
}

async function verified(request: Request): Promise<WebhookEvent | undefined> {
  try {
    return await verifyWebhook(request.body as Buffer, request.headers, ROOST_WEBHOOK_SECRET);
  } catch (error) {
    if (!(error instanceof WebhookVerificationError)) throw error;
    console.error(`refused: ${error.message}`);
    return undefined;
  }
}

function handle(event: WebhookEvent): void {
  switch (event.type) {
    case 'message.completed':
      return console.log(`done: ${event.data.message.content} → ${event.data.reply?.content ?? '(no answer)'}`);
    case 'message.failed':
      return console.log(`failed: ${event.data.message.content} (${event.data.error.message})`);
    case 'agent.error':
      return console.log(`somebody has to look at agent ${event.data.agent_id}: ${event.data.error.message}`);
    default:
      return console.log(event.type);
  }
}
