import { z } from 'zod';
import { agentStatusChanged } from './agent-events.js';
import { Message } from './messaging.js';
import { event, recordedEvent } from './request.js';
import { Usage } from './turns.js';
import { AccountId, AgentId, Count, MessageId, wire } from './wire.js';

export const messageCreated = recordedEvent(
  'messaging.message.created',
  wire({ accountId: AccountId, agentId: AgentId, message: Message }),
);
/** An agent sent something by itself: see `postMessage`. */
export const messagePosted = event(
  'messaging.message.posted',
  wire({ accountId: AccountId, agentId: AgentId, message: Message }),
);
export const turnStarted = recordedEvent(
  'messaging.turn.started',
  wire({ accountId: AccountId, agentId: AgentId, turnId: z.uuid(), messageIds: z.array(MessageId), attempt: Count }),
);
/** The turn of a schedule's or trigger's messages runs: for the scheduler, whose executions these are. */
export const automationStarted = event(
  'messaging.automation.started',
  wire({
    accountId: AccountId,
    agentId: AgentId,
    messageIds: z.array(MessageId),
    /** Orders the turns of an agent. Absent from a messaging service of an older version. */
    fencingToken: Count.optional(),
  }),
);
/** That turn ended without an answer: these of its messages wait again. */
export const automationReturned = event(
  'messaging.automation.returned',
  wire({ accountId: AccountId, agentId: AgentId, messageIds: z.array(MessageId), fencingToken: Count }),
);
export const messageCompleted = event(
  'messaging.message.completed',
  wire({
    accountId: AccountId,
    agentId: AgentId,
    turnId: z.uuid(),
    /** The batch that was answered, oldest first. */
    messages: z.array(Message),
    replies: z.array(Message),
    usage: Usage,
  }),
);
export const messageFailed = event(
  'messaging.message.failed',
  wire({
    accountId: AccountId,
    agentId: AgentId,
    turnId: z.uuid(),
    messages: z.array(Message),
    error: wire({ code: z.string(), message: z.string() }),
  }),
);
export const turnInterrupted = event(
  'messaging.turn.interrupted',
  wire({
    accountId: AccountId,
    agentId: AgentId,
    turnId: z.uuid(),
    messageIds: z.array(MessageId),
    partialReply: z.string(),
  }),
);
/** For event streams alone (`agent.status`): a change of an agent, in order among the agent's other durable events. */
export const agentStatusRecorded = recordedEvent('messaging.agent.status-recorded', agentStatusChanged.payload);
