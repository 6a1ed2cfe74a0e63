import { z } from 'zod';
import { AgentStatus } from './agents.js';
import { Approval } from './approvals.js';
import { Budget } from './budgets.js';
import { schemaNameOf } from './event-streams.js';
import { Message, MessageError } from './messages.js';
import { Usage } from './turns.js';
import { VaultGrant, VaultSecret } from './vault.js';
import { AgentId, Count, Timestamp, wire } from './wire.js';
import type { WebhookEvent } from './webhooks.js';

const { id, content, metadata, channel, conversation_id: conversationId, created_at: createdAt } = Message.in.shape;
const SentMessage = wire({ id, content, metadata, channel, conversationId, createdAt }).meta({
  id: 'WebhookMessage',
  description: 'The message that was sent to the agent.',
});
const SentReply = wire({
  id,
  content,
  truncated: z
    .literal(true)
    .optional()
    .describe(
      'There when the text was cut: all replies of a turn take at most 4,000,000 characters. `GET …/messages/{id}` has it whole.',
    ),
}).meta({ id: 'WebhookReply', description: 'A reply of the agent.' });
const TurnId = z.uuid().describe('The turn that answered. One that answers several messages sends a webhook for each.');

const ofSecret = wire({ secret: VaultSecret.describe('The secret, without its value.') });
const ofGrant = wire({ agentId: AgentId, grant: VaultGrant.describe('The grant.') });

const DATA = {
  'message.completed': [
    'A message was answered.',
    wire({
      agentId: AgentId,
      turnId: TurnId,
      message: SentMessage,
      reply: SentReply.nullable().describe('The first of `replies`; null when the agent said nothing.'),
      replies: z.array(SentReply).describe('All replies of the turn, in order.'),
      repliesOmitted: Count.optional().describe(
        'How many replies at the end were left out for their size; absent when none was.',
      ),
      usage: Usage.describe('Tokens of the whole turn: count them once per `turn_id`.'),
    }),
  ],
  'message.failed': [
    'A message was given up after its tries, or its reply could not be shown on its chat platform.',
    wire({ agentId: AgentId, turnId: TurnId, message: SentMessage, error: MessageError }),
  ],
  'agent.error': [
    'Something cannot go on until somebody does something about it. Sent once per cause.',
    wire({
      agentId: AgentId.nullable().describe('The agent it is about; null when an endpoint of the account was disabled.'),
      error: z
        .looseObject({
          code: z
            .string()
            .describe(
              '`BALANCE_EXHAUSTED`: no output tokens left. `WORKSPACE_FAILED`: the workspace cannot be made or keeps failing. `MODEL_KEY_REFUSED`: the provider refuses the key. `CHANNEL_FAILED`: a chat platform refuses the bot (`channel` names it). `WEBHOOK_DISABLED`: an endpoint was disabled.',
            ),
          message: z.string().describe('What happened, and what to do.'),
        })
        .describe('The cause. Some codes have more fields.'),
      endpointId: z.uuid().optional().describe('Of `WEBHOOK_DISABLED`: the endpoint.'),
    }),
  ],
  'agent.status_changed': [
    'An agent’s status changed.',
    wire({
      agentId: AgentId,
      status: AgentStatus.describe('The status now.'),
      previousStatus: AgentStatus.describe('The status before.'),
      reason: z.string().nullable().describe('Why, where there is a reason, such as of `error`.'),
    }),
  ],
  'agent.deleted': ['An agent was deleted. It is the last event of it.', wire({ agentId: AgentId })],
  'schedule.missed': [
    'Times of a schedule passed while the platform was down and are not made up for.',
    wire({
      agentId: AgentId,
      schedule: wire({ id: z.uuid().describe('Its id.'), name: z.string().describe('Its name.') }).describe(
        'The schedule.',
      ),
      missed: Count.describe('How many times were missed.'),
      firstSlot: Timestamp.describe('The first of them.'),
      lastSlot: Timestamp.describe('The last of them.'),
    }),
  ],
  'mcp.authorization_needed': [
    'A server of the account’s MCP registry needs its owner’s OAuth authorization. Sent once until it can be used again; not to endpoints that are limited to agents.',
    wire({
      server: wire({ id: z.uuid().describe('Its id.'), name: z.string().describe('Its name.') }).describe(
        'The server.',
      ),
      reason: z.string().describe('Why.'),
      authorize: z.string().describe('The path of the call that begins the authorization.'),
    }),
  ],
  'budget.threshold': [
    'So much of a budget was used as its `threshold_percent` says. Sent once a period.',
    wire({ budget: Budget.describe('The budget with what is used of it.') }),
  ],
  'budget.exhausted': [
    'The limit of a budget is reached: no model step starts, and messages wait until `period_ends_at` or a higher limit.',
    wire({ budget: Budget.describe('The budget with what is used of it.') }),
  ],
  'budget.reset': [
    'A budget is exhausted no more: its next period began, its limit was raised, or it was deleted.',
    wire({ budget: Budget.describe('The budget as it is now.') }),
  ],
  'approval.requested': [
    'A person is asked whether a tool may be called. The run waits; decide with `POST /v1/approvals/{id}/decide`.',
    wire({ approval: Approval.describe('The call. Arguments longer than 16 KiB are left out: read the approval.') }),
  ],
  'approval.decided': [
    'An approval was decided, or cancelled with its run.',
    wire({ approval: Approval.describe('With the decision and who made it.') }),
  ],
  'approval.expired': [
    'Nobody decided in time: the call counts as denied.',
    wire({ approval: Approval.describe('The call that was not decided.') }),
  ],
  'vault_secret.created': [
    'A secret was put in the vault. Not sent to endpoints that are limited to agents.',
    ofSecret,
  ],
  'vault_secret.updated': ['Of a secret something else than its value was changed, e.g. its hosts.', ofSecret],
  'vault_secret.rotated': ['The value of a secret was set anew.', ofSecret],
  'vault_secret.deleted': ['A secret was deleted.', ofSecret],
  'vault_grant.created': ['An agent may use a secret.', ofGrant],
  'vault_grant.updated': ['Whether a person is asked before a request carries the secret was changed.', ofGrant],
  'vault_grant.deleted': ['An agent may use a secret no more: the grant was revoked, or the secret deleted.', ofGrant],
  'webhook.test': [
    'A test that was asked for with `POST /v1/webhooks/endpoints/{id}/test`. It needs no subscription.',
    wire({ endpointId: z.uuid().describe('The endpoint that is tested.') }),
  ],
} as const satisfies Record<WebhookEvent | 'webhook.test', readonly [description: string, data: z.ZodType]>;

/** The body of each webhook, with what it says. */
export const WEBHOOK_BODIES = Object.entries(DATA).map(([type, [description, data]]) => ({
  type: type as keyof typeof DATA,
  description,
  body: z
    .object({
      type: z.literal(type).describe('The type of the event.'),
      timestamp: Timestamp.describe('When it happened.'),
      data: data.describe('What happened.'),
    })
    .meta({ id: schemaNameOf(type, 'Webhook'), description }),
}));
