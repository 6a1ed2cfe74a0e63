import { z } from 'zod';
import { agentStatusChanged } from './agent-events.js';
import { Approval } from './approvals.js';
import { Message, MessageError } from './messages.js';
import { event, recordedEvent } from './request.js';
import { Usage } from './turns.js';
import { AccountId, AgentId, Count, JsonObject, MessageId, wire } from './wire.js';

const TurnId = z.uuid().describe('The turn’s id (outside: the run’s).');

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
  wire({
    accountId: AccountId,
    agentId: AgentId,
    turnId: TurnId,
    runId: z
      .uuid()
      .optional()
      .describe('The run that it is an attempt of: its first turn. A service of an older version does not say it.'),
    messageIds: z.array(MessageId).describe('The messages it answers, oldest first.'),
    attempt: Count.describe('1 for the first try.'),
  }),
);
/** The turn of a schedule's or trigger's messages runs: for the scheduler, whose executions these are. */
export const automationStarted = event(
  'messaging.automation.started',
  wire({
    accountId: AccountId,
    agentId: AgentId,
    messageIds: z.array(MessageId).describe('The messages of schedules and triggers that the turn took.'),
    /** Absent from a messaging service of an older version. */
    fencingToken: Count.optional().describe('Orders the turns of an agent: a later turn has a higher one.'),
  }),
);
/** That turn ended without an answer: these of its messages wait again. */
export const automationReturned = event(
  'messaging.automation.returned',
  wire({
    accountId: AccountId,
    agentId: AgentId,
    messageIds: z.array(MessageId).describe('The messages that wait again.'),
    fencingToken: Count.describe('Of the turn that ended.'),
  }),
);
export const messageCompleted = event(
  'messaging.message.completed',
  wire({
    accountId: AccountId,
    agentId: AgentId,
    turnId: TurnId,
    messages: z.array(Message).describe('The messages that were answered together, oldest first.'),
    replies: z.array(Message).describe('The whole answer.'),
    usage: Usage,
  }),
);
export const messageFailed = event(
  'messaging.message.failed',
  wire({
    accountId: AccountId,
    agentId: AgentId,
    turnId: TurnId,
    messages: z.array(Message).describe('The messages that were given up.'),
    error: MessageError,
  }),
);
export const turnInterrupted = event(
  'messaging.turn.interrupted',
  wire({
    accountId: AccountId,
    agentId: AgentId,
    turnId: TurnId,
    messageIds: z.array(MessageId).describe('The messages it was answering.'),
    conversationId: z
      .string()
      .optional()
      .describe('The conversation of these messages. A service of an older version does not say it.'),
    partialReply: z.string().describe('What the agent had said so far.'),
  }),
);
const approvalFields = {
  accountId: AccountId,
  agentId: AgentId,
  turnId: TurnId.nullable().describe(
    'The turn that asked, or that ran when a request of the sandbox did; null: none ran.',
  ),
  runId: z.uuid().nullable().describe('The run that waits; null: none does.'),
  messageIds: z.array(MessageId).describe('The messages that it answers.'),
  approval: Approval,
};
/** A person is asked about a call; its run waits. */
export const approvalRequested = event('messaging.approval.requested', wire(approvalFields));
/** Somebody decided, or it was cancelled. */
export const approvalDecided = event(
  'messaging.approval.decided',
  wire({
    ...approvalFields,
    rule: JsonObject.nullable()
      .default(null)
      .describe('Of `allow_always`: the rule that is put first in the agent’s permissions. Null otherwise.'),
  }),
);
/** Nobody decided in time. */
export const approvalExpired = event('messaging.approval.expired', wire(approvalFields));
/** For event streams alone (`agent.status`): a change of an agent, in order among the agent's other durable events. */
export const agentStatusRecorded = recordedEvent('messaging.agent.status-recorded', agentStatusChanged.payload);
