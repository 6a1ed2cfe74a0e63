import { z } from 'zod';
import { AgentStatus } from './lifecycle.js';
import { Message } from './messaging.js';
import { Usage } from './turns.js';
import { AgentId, Count, Timestamp, wire } from './wire.js';
import type { WebhookEvent } from './webhooks.js';

const { id, content, metadata, channel, conversation_id: conversationId, created_at: createdAt } = Message.in.shape;
const SentMessage = wire({ id, content, metadata, channel, conversationId, createdAt });
const SentReply = wire({
  id,
  content,
  truncated: z.literal(true).optional().meta({ description: 'Only the beginning is here; the rest is in the API' }),
});
const TurnId = z.uuid();

const DATA = {
  'message.completed': [
    'A message is answered. One webhook a message; `usage` is the turn’s, to be counted once per `turn_id`',
    wire({
      agentId: AgentId,
      turnId: TurnId,
      message: SentMessage,
      reply: SentReply.nullable().meta({ description: 'The first of `replies`' }),
      replies: z.array(SentReply),
      repliesOmitted: Count.optional().meta({ description: 'Replies left out because they are too large' }),
      usage: Usage,
    }),
  ],
  'message.failed': [
    'A message could not be answered and will not be tried again',
    wire({
      agentId: AgentId,
      turnId: TurnId,
      message: SentMessage,
      error: wire({ code: z.string(), message: z.string() }),
    }),
  ],
  'agent.error': [
    'Something of the agent fails until somebody acts',
    wire({
      agentId: AgentId.nullable(),
      error: z.looseObject({ code: z.string(), message: z.string() }).meta({
        description: 'With more fields by code: `channel` of CHANNEL_FAILED',
      }),
      endpointId: z.uuid().optional().meta({ description: 'Of WEBHOOK_DISABLED' }),
    }),
  ],
  'agent.status_changed': [
    'The agent’s status has changed',
    wire({ agentId: AgentId, status: AgentStatus, previousStatus: AgentStatus, reason: z.string().nullable() }),
  ],
  'agent.deleted': ['The agent is deleted; the last event of it', wire({ agentId: AgentId })],
  'schedule.missed': [
    'Slots of a schedule passed while Roost was down, and were not caught up',
    wire({
      agentId: AgentId,
      schedule: wire({ id: z.uuid(), name: z.string() }),
      missed: Count,
      firstSlot: Timestamp,
      lastSlot: Timestamp,
    }),
  ],
  'mcp.authorization_needed': [
    'An MCP server wants its owner to sign in again',
    wire({
      server: wire({ id: z.uuid(), name: z.string() }),
      reason: z.string(),
      authorize: z.string().meta({ description: 'The path of the call that begins the sign-in' }),
    }),
  ],
  'webhook.test': ['Asked for by the endpoint’s owner, to try it', wire({ endpointId: z.uuid() })],
} as const satisfies Record<WebhookEvent | 'webhook.test', readonly [description: string, data: z.ZodType]>;

/** The body of each webhook, with what it says. */
export const WEBHOOK_BODIES = Object.entries(DATA).map(([type, [description, data]]) => ({
  type: type as keyof typeof DATA,
  description,
  body: z.object({ type: z.literal(type), timestamp: Timestamp, data }),
}));
