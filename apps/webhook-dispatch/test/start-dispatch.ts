import { Bus, type RunningService } from '#lib/bus';
import { ownCall } from '#lib/call-context';
import { serve } from '#lib/rpc';
import {
  createWebhookEndpoint,
  getAgentWebhooks,
  messageCompleted,
  RoostError,
  type WebhookEndpoint,
} from '#lib/contracts';
import { Database } from '#lib/database';
import { freshBus, freshDatabase, publishEvent } from '#lib/testing';
import { randomBytes, randomUUID } from 'node:crypto';
import type { z } from 'zod';
import { start } from '../src/main.js';
import { migrations } from '../src/migrations/index.js';

type AgentWebhooks = z.output<typeof getAgentWebhooks.output>['webhooks'];

/** webhook-dispatch alone on a fresh database and bus, with a double of lifecycle that knows `agents`. */
export async function startDispatch(env: Record<string, string> = {}) {
  const [database, nats] = await Promise.all([freshDatabase(), freshBus('webhook-dispatch')]);
  const accountId = randomUUID();
  const agents = new Map<string, AgentWebhooks>();
  const bus = new Bus(await nats.connect(), 'tester');
  const lifecycle = serve(
    bus.connection,
    getAgentWebhooks,
    getAgentWebhooks.subject,
    async ({ agentId }) => {
      const webhooks = agents.get(agentId);
      if (!webhooks) throw new RoostError('NOT_FOUND', 'there is no such agent');
      return { accountId, webhooks };
    },
    () => undefined,
    'agent-lifecycle',
  );
  const environment = {
    NATS_URL: nats.url,
    NATS_CREDS: nats.serviceCreds,
    DATABASE_URL: database.url,
    ROOST_MASTER_KEY: randomBytes(32).toString('base64'),
    ROOST_WEBHOOK_NETWORK: 'local',
    ...env,
  };
  let service: RunningService = await start(environment);
  const rows = await Database.open({
    url: database.url,
    schema: 'webhooks',
    migrations,
    poolSize: 2,
  });
  const call = () => ({ ...ownCall('req_test'), accountId });

  return {
    accountId,
    agents,
    bus,
    rows,
    environment,
    call,
    /** Registers an account endpoint for all events unless `more` differs. */
    async endpoint(
      url: string,
      more: Partial<{ events: WebhookEndpoint['events']; agentIds: string[]; secret: string }> = {},
    ) {
      return bus.request(
        createWebhookEndpoint,
        { url, events: ['*'], agentIds: null, description: null, enabled: true, ...more },
        call(),
      );
    },
    /** Publishes a completed message as messaging would. */
    async complete(agentId: string, content = 'hello') {
      await publishEvent(bus.connection, messageCompleted, completed(accountId, agentId, content));
    },
    /** Makes every delivery due that waits for its next try and is leased by nobody. */
    hurry: () => rows.query(`UPDATE queue SET due_at = now() WHERE leased_until <= now()`),
    async restart() {
      await service.stop();
      service = await start(environment);
    },
    async stop() {
      await service.stop();
      lifecycle.unsubscribe();
      await rows.close();
      await bus.connection.close();
      nats.release();
      await database.drop();
    },
  };
}

/** The payload of a completed turn of one message. */
export function completed(
  accountId: string,
  agentId: string,
  content: string,
): z.output<typeof messageCompleted.payload> {
  const message = {
    id: `msg_${randomUUID()}`,
    metadata: { ticket: 7 },
    status: 'read' as const,
    channel: 'api' as const,
    conversationId: 'default',
    createdAt: new Date(),
    deliveredAt: null,
    readAt: null,
    error: null,
  };
  return {
    accountId,
    agentId,
    turnId: randomUUID(),
    messages: [{ ...message, role: 'user', content, queueMode: 'collect', replyToId: null }],
    replies: [
      {
        ...message,
        id: `msg_${randomUUID()}`,
        role: 'assistant',
        content: `re: ${content}`,
        queueMode: null,
        replyToId: message.id,
      },
    ],
    usage: { inputTokens: 3, outputTokens: 5, cachedInputTokens: 0 },
  };
}
