import type { AgentEvent, WebhookEvent } from '@roost-ai/sdk';

/** A webhook that Roost would send for an event. */
export interface MadeWebhook {
  /** The same for the same occurrence. */
  id: string;
  body: WebhookEvent;
}

/** What the event stream of an agent knows of; other webhooks are sent by Roost alone. */
export const LISTENED = ['message.completed', 'message.failed', 'agent.status_changed', 'agent.deleted'] as const;

/** The webhooks of one event, as Roost would send them: of a batch one for each message. */
export function webhooksOf(event: AgentEvent, timestamp = new Date().toISOString()): MadeWebhook[] {
  switch (event.type) {
    case 'message.completed': {
      const { agent_id, turn_id, messages, usage } = event.data;
      const replies = event.data.replies.map(({ id, content }) => ({ id, content }));
      return messages.map((message) => ({
        id: `${event.id ?? turn_id}:${message.id}`,
        body: {
          type: 'message.completed',
          timestamp: event.data.replies[0]?.created_at ?? timestamp,
          data: { agent_id, turn_id, message: sent(message), reply: replies[0] ?? null, replies, usage },
        },
      }));
    }
    case 'message.failed': {
      const { agent_id, turn_id, messages, error } = event.data;
      return messages.map((message) => ({
        id: `${event.id ?? turn_id}:${message.id}`,
        body: { type: 'message.failed', timestamp, data: { agent_id, turn_id, message: sent(message), error } },
      }));
    }
    case 'agent.status': {
      const { agent_id, status, previous, reason } = event.data;
      if (status === previous) return [];
      const data = { agent_id, status, previous_status: previous, reason };
      return [{ id: event.id ?? `${agent_id}:${timestamp}`, body: { type: 'agent.status_changed', timestamp, data } }];
    }
    case 'agent.deleted': {
      const { agent_id } = event.data;
      return [{ id: `${agent_id}:deleted`, body: { type: 'agent.deleted', timestamp, data: { agent_id } } }];
    }
    default:
      return [];
  }
}

type Sent = Extract<WebhookEvent, { type: 'message.failed' }>['data']['message'];

const sent = ({ id, content, metadata, channel, conversation_id, created_at }: Sent): Sent => ({
  id,
  content,
  metadata,
  channel,
  conversation_id,
  created_at,
});
