import { z } from 'zod';
import { AgentState } from './agent-services.js';
import { AgentStatus } from './agents.js';
import { event } from './request.js';
import { AccountId, AgentId, Count, Timestamp, wire } from './wire.js';

export const agentCreated = event('lifecycle.agent.created', AgentState);
/** Also when the balance runs out or is filled up again; status and previous status are then the same. */
export const agentStatusChanged = event(
  'lifecycle.agent.status-changed',
  wire({
    agentId: AgentId,
    accountId: AccountId,
    status: AgentStatus.describe('The status now.'),
    previous: AgentStatus.describe('The status before; the same when only the balance changed.'),
    reason: z.string().nullable().describe('Why, where there is a reason, such as of `error`.'),
    isExhausted: z.boolean().optional().describe('Whether the balance is at zero; absent where it did not change.'),
    revision: Count.describe('Grows with every change of the agent.'),
  }),
);
export const agentDeleted = event(
  'lifecycle.agent.deleted',
  wire({ agentId: AgentId, accountId: AccountId, revision: Count }),
);
export const agentUpdated = event(
  'lifecycle.agent.updated',
  wire({
    agentId: AgentId,
    accountId: AccountId,
    revision: Count,
    /** Names of the changed fields, as in the API: `discord_bot_token`, `configuration.webhooks`. Never their values. */
    changed: z.array(z.string()),
  }),
);
/** Once per cause: the balance came to zero (`BALANCE_EXHAUSTED`), or the workspace keeps failing (`WORKSPACE_FAILED`). */
export const agentErrored = event(
  'lifecycle.agent.errored',
  wire({
    agentId: AgentId,
    accountId: AccountId,
    code: z.enum(['BALANCE_EXHAUSTED', 'WORKSPACE_FAILED']),
    message: z.string(),
    occurredAt: Timestamp,
  }),
);
/**
 * The account is deleted, and its agents are being. For who reads lifecycle's events alone: reading the gateway's as
 * well would bring it every event that there is.
 */
export const accountRemoved = event('lifecycle.account.removed', wire({ accountId: AccountId }));
