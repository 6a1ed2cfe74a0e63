import { z } from 'zod';
import { agentStatusChanged } from './agent-events.js';
import { LiveEvent } from './live.js';
import {
  approvalDecided,
  approvalExpired,
  approvalRequested,
  automationReturned,
  automationStarted,
  messageCompleted,
  messageCreated,
  messageFailed,
  turnInterrupted,
  turnStarted,
} from './messaging-events.js';
import { Run } from './runs.js';
import { AgentId, MessageId, wire } from './wire.js';

/** What readers of an agent's stream see of an event on the bus: everything but whose account it is. */
const seen = (payload: { in: z.ZodObject }) => payload.in.omit({ account_id: true });
const { type: _type, text, tool: anyTool, ...delta } = LiveEvent.in.shape;
const tool = anyTool.unwrap().in.shape;
const inWords = z.string().describe('The same in words.');

/**
 * What an agent's event stream sends, by the `event` field of server-sent events, with the form of `data`. Durable
 * events come once each and in order; deltas of a running turn (`text.delta`, `tool.call`, `tool.result`,
 * `turn.restarted`) are sent as they happen and again from the turn's start to a reader that comes late.
 */
export const STREAM_EVENTS = {
  'message.created': [
    'A message was accepted, from the API, a chat, a schedule or a trigger.',
    seen(messageCreated.payload),
  ],
  'message.delivered': ['A turn has taken the message.', wire({ agentId: AgentId.optional(), messageId: MessageId })],
  'message.posted': ['The agent sent something by itself, outside the reply of a turn.', seen(messageCreated.payload)],
  'turn.started': [
    'A turn begins to answer the messages of `message_ids`. `attempt` above 1: an earlier try did not end.',
    seen(turnStarted.payload),
  ],
  'text.delta': [
    'The next piece of the reply, as the model writes it. The texts of a turn in the order of `seq` are its reply so far.',
    z.object({
      ...delta,
      text: text.unwrap().describe('What is to be added.'),
    }),
  ],
  'tool.call': [
    'The agent calls a tool.',
    z.object({
      ...delta,
      tool: z.object({ call_id: tool.call_id, name: tool.name, input: tool.input }).describe('The call.'),
    }),
  ],
  'tool.result': [
    'A tool has returned.',
    z.object({
      ...delta,
      tool: z
        .object({ call_id: tool.call_id, name: tool.name, output: tool.output, is_error: tool.is_error })
        .describe('The result.'),
    }),
  ],
  'turn.restarted': ['The turn begins anew: forget the text of it that came before.', z.object({ ...delta })],
  'turn.interrupted': [
    'The turn was stopped by a message with `queue_mode: interrupt`, by `/stop` in a chat, or with its run, which was cancelled. Of an agent that is stopped the turn is handed back without this event.',
    seen(turnInterrupted.payload),
  ],
  'approval.requested': [
    'A person is asked whether a tool may be called: the run waits for the decision, and nothing is held for it meanwhile.',
    seen(approvalRequested.payload),
  ],
  'approval.decided': [
    'Somebody decided, or it was cancelled: `approval.status` says which. The run goes on when nothing else of it waits.',
    seen(approvalDecided.payload),
  ],
  'approval.expired': ['Nobody decided in time: the call counts as denied.', seen(approvalExpired.payload)],
  'message.completed': [
    'The messages are answered: `replies` is the whole answer, whatever deltas were seen.',
    seen(messageCompleted.payload),
  ],
  'message.failed': [
    'The messages were given up, or a reply could not be shown on its chat platform. `error` says why.',
    seen(messageFailed.payload),
  ],
  'agent.status': [
    'The agent’s status changed, or its balance ran out or was filled up (`is_exhausted`).',
    seen(agentStatusChanged.payload),
  ],
  'automation.started': [
    'A turn took messages of a schedule or trigger: their executions are `running`.',
    seen(automationStarted.payload),
  ],
  'automation.returned': [
    'That turn ended without an answer: the messages wait again.',
    seen(automationReturned.payload),
  ],
  'run.ended': ['The last event of the stream of a run: it has ended, and `status` says how.', Run],
  'agent.deleted': ['The last event: the agent was deleted.', wire({ agentId: AgentId })],
  'stream.gap': [
    'The event of `Last-Event-ID` is not kept any more: some may be missing before the next one. Read the messages anew.',
    wire({ message: inWords }),
  ],
  'stream.cut': [
    'The last event of a stream whose reader is too slow: over 1 MiB waited for it. Connect again with `Last-Event-ID`.',
    wire({ reason: z.literal('too_slow').describe('Why it ends.'), message: inWords }),
  ],
  'stream.ended': [
    'The last event of a stream whose reader may not read on. Connecting again is refused.',
    wire({
      reason: z.enum(['credential_revoked', 'agents_disabled', 'account_deleted']).describe('Why it ends.'),
      message: inWords,
    }),
  ],
} as const satisfies Record<string, readonly [description: string, data: z.ZodType]>;

type StreamEventName = keyof typeof STREAM_EVENTS;

/** `text.delta` and `Event` → `TextDeltaEvent`: the name of a schema in the document. */
export const schemaNameOf = (type: string, kind: string): string =>
  type.replace(/(?:^|[._])(\w)/g, (_, letter: string) => letter.toUpperCase()) + kind;

/** Each as the document describes it: its three fields as an object. */
const EVENT_SCHEMAS = new Map(
  Object.entries(STREAM_EVENTS).map(([type, [description, data]]) => [
    type,
    z
      .object({
        id: z
          .string()
          .optional()
          .describe('Where a reader resumes, as `Last-Event-ID`. Absent of events about the stream itself.'),
        type: z.literal(type as StreamEventName).describe('The field `event`.'),
        data: data.describe('The field `data`, as JSON.'),
      })
      .meta({ id: schemaNameOf(type, 'Event'), description }),
  ]),
);

type EventSchema = z.ZodObject<{ type: z.ZodLiteral<StreamEventName>; data: z.ZodType }>;
/** What a stream of server-sent events may hold. */
export type StreamSchema = z.ZodDiscriminatedUnion<[EventSchema, ...EventSchema[]]>;

const streamOf = (isSent: (type: string) => boolean, id: string, description: string): StreamSchema =>
  z
    .discriminatedUnion(
      'type',
      [...EVENT_SCHEMAS].flatMap(([type, schema]) => (isSent(type) ? [schema] : [])) as unknown as [EventSchema],
    )
    .meta({ id, description });

/** One event of `GET /v1/agent/{id}/events`. */
export const AgentStreamEvent = streamOf(
  (type) => type !== 'run.ended',
  'AgentStreamEvent',
  'An event of an agent’s stream: what its three fields hold.',
);

/** Of the durable events, those that name a turn. */
const OF_RUNS = new Set([
  ...['message.delivered', 'turn.started', 'text.delta', 'tool.call', 'tool.result', 'turn.restarted'],
  ...[
    'approval.requested',
    'approval.decided',
    'approval.expired',
    'turn.interrupted',
    'message.completed',
    'message.failed',
    'run.ended',
    'agent.deleted',
  ],
  ...['stream.gap', 'stream.cut', 'stream.ended'],
]);

/** One event of `GET /v1/agent/{id}/runs/{run_id}/events`. */
export const RunStreamEvent = streamOf(
  (type) => OF_RUNS.has(type),
  'RunStreamEvent',
  'An event of the stream of a run: what its three fields hold.',
);
