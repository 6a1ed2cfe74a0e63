import { z } from 'zod';
import { AgentStatus } from './lifecycle.js';
import { LiveEvent } from './live.js';
import { Message } from './messaging.js';
import { Usage } from './turns.js';
import { AgentId, Count, MessageId, wire } from './wire.js';

const TurnId = z.uuid().meta({ description: 'The turn: one try of the agent to answer a batch of messages' });
const Failure = wire({
  code: z.string().meta({ description: 'Machine-readable cause' }),
  message: z.string().meta({ description: 'What happened, for people' }),
});
const Batch = z.array(Message).meta({ description: 'The messages that the turn was about, oldest first' });
/** Of a turn in progress; `seq` counts its deltas from 0. */
const Delta = {
  agentId: AgentId,
  turnId: TurnId,
  messageId: z.string().meta({ description: 'The last message of the batch that the turn answers' }),
  seq: Count.meta({ description: 'Counts what a turn sends from 0' }),
};
const tool = LiveEvent.in.shape.tool.unwrap().in.shape;

/**
 * What an agent's event stream sends, by the `event` field of server-sent events, with the form of `data`. Durable
 * events come once each and in order; deltas of a running turn (`text.delta`, `tool.call`, `tool.result`,
 * `turn.restarted`) are sent as they happen and again from the turn's start to a reader that comes late.
 */
export const STREAM_EVENTS = {
  'message.created': [
    'A message was accepted, from the API, a chat, a schedule or a trigger',
    wire({ agentId: AgentId, message: Message }),
  ],
  'message.delivered': ['A turn has taken the message up', wire({ agentId: AgentId.optional(), messageId: MessageId })],
  'message.posted': [
    'The agent sent a message by itself, outside the reply of a turn',
    wire({ agentId: AgentId, message: Message }),
  ],
  'turn.started': [
    'A turn begins to answer these messages; `attempt` counts from 1',
    wire({ agentId: AgentId, turnId: TurnId, messageIds: z.array(MessageId), attempt: Count }),
  ],
  'text.delta': ['The next piece of the reply', wire({ ...Delta, text: z.string() })],
  'tool.call': [
    'The agent calls a tool',
    wire({ ...Delta, tool: wire({ callId: z.string(), name: z.string(), input: tool.input }) }),
  ],
  'tool.result': [
    'A tool has returned',
    wire({
      ...Delta,
      tool: wire({ callId: z.string(), name: z.string(), output: tool.output, isError: tool.is_error }),
    }),
  ],
  'turn.restarted': ['What the turn has sent so far is void: the text begins anew', wire(Delta)],
  'turn.interrupted': [
    'The turn was interrupted; its messages are not answered again',
    wire({ agentId: AgentId, turnId: TurnId, messageIds: z.array(MessageId), partialReply: z.string() }),
  ],
  'message.completed': [
    'The messages are answered',
    wire({ agentId: AgentId, turnId: TurnId, messages: Batch, replies: z.array(Message), usage: Usage }),
  ],
  'message.failed': [
    'The messages could not be answered and will not be tried again',
    wire({ agentId: AgentId, turnId: TurnId, messages: Batch, error: Failure }),
  ],
  'agent.status': [
    'The agent’s status, or whether it has output tokens left, has changed',
    wire({
      agentId: AgentId,
      status: AgentStatus,
      previous: AgentStatus,
      reason: z.string().nullable(),
      isExhausted: z.boolean().optional(),
      revision: Count,
    }),
  ],
  'agent.deleted': ['The last event: the agent is deleted', wire({ agentId: AgentId })],
  'stream.gap': [
    'Events before the next one may be missing: the one to resume from is older than 24 h',
    wire({ message: z.string() }),
  ],
  'stream.cut': [
    'The last event: the reader was too slow. Connect again with `Last-Event-ID`',
    wire({ reason: z.literal('too_slow'), message: z.string() }),
  ],
  'stream.ended': [
    'The last event: the caller’s access has ended',
    wire({ reason: z.enum(['credential_revoked', 'agents_disabled', 'account_deleted']), message: z.string() }),
  ],
} as const satisfies Record<string, readonly [description: string, data: z.ZodType]>;

type StreamEventName = keyof typeof STREAM_EVENTS;

/** One event of `GET /v1/agent/{id}/events`, as the document describes it: its three fields as an object. */
export const AgentStreamEvent = z.discriminatedUnion(
  'type',
  Object.entries(STREAM_EVENTS).map(([type, [description, data]]) =>
    z
      .object({
        id: z.string().optional().meta({ description: 'Where a reader resumes, as `Last-Event-ID`' }),
        type: z.literal(type as StreamEventName).meta({ description: 'The field `event`' }),
        data,
      })
      .meta({ description }),
  ) as unknown as [z.ZodObject<{ type: z.ZodLiteral<StreamEventName>; data: z.ZodType }>],
);
