import { z } from 'zod';
import { AgentConfiguration } from './agent-configuration.js';
import { BudgetState } from './budgets.js';
import { AgentStatus, VersionNumber } from './agents.js';
import { ownBotFields } from './platforms.js';
import { Provider } from './provider-keys.js';
import { request } from './request.js';
import { AccountId, AgentId, Count, wire } from './wire.js';

/** What another service must know to act for an agent: whose it is and whether it may act. */
export const AgentState = wire({
  agentId: AgentId,
  accountId: AccountId,
  status: AgentStatus,
  /** The balance is zero: messages are accepted and wait, no turn begins. Absent means it is not. */
  isExhausted: z.boolean().optional(),
  /** Grows with every change: an older state never overwrites a newer one. */
  revision: Count,
});
export type AgentState = z.output<typeof AgentState>;

/** Asked by services that have no row of the agent yet, on their own behalf (no account in the context). Errors: NOT_FOUND. */
export const getAgentState = request('lifecycle.agent.state', {
  input: wire({ agentId: AgentId }),
  output: AgentState,
});
/** Which of these agents exist, for who serves something long for them. For services on their own behalf. */
export const existingAgents = request('lifecycle.agent.existing', {
  input: wire({ agentIds: z.array(AgentId).max(1_000) }),
  output: wire({ agentIds: z.array(AgentId) }),
});

/**
 * Everything agent-runtime needs for a turn, keys included: they travel only between the two services and are
 * never logged or stored by agent-runtime. Errors: NOT_FOUND (the version, too), VALIDATION_ERROR (its settings are not allowed any more).
 */
export const getAgentForTurn = request('lifecycle.agent.for-turn', {
  input: wire({
    agentId: AgentId,
    /** With its settings of then, and the secrets, balance and status of now; the present one if not given. */
    version: VersionNumber.optional(),
  }),
  output: wire({
    agentId: AgentId,
    accountId: AccountId,
    name: z.string(),
    status: AgentStatus,
    /** Of its configuration; a lifecycle service of an older version does not say it. */
    version: VersionNumber.optional(),
    systemPrompt: z.string().nullable(),
    systemPromptType: z.enum(['replace', 'append']),
    sessionMode: z.enum(['ephemeral', 'persistent']),
    outputTokenBalance: Count,
    configuration: AgentConfiguration,
    providerKeys: z.partialRecord(Provider, z.string()),
    /** Whose each key is, for error messages; the agent's own where it does not say. */
    providerKeyOwners: z.partialRecord(Provider, z.enum(['agent', 'account'])).optional(),
    /** Of the budgets that hold for it. */
    budget: BudgetState.optional(),
  }),
});
export type AgentForTurn = z.output<typeof getAgentForTurn.output>;

export const AgentBots = wire({
  agentId: AgentId,
  accountId: AccountId,
  name: z.string(),
  ...ownBotFields,
});
export type AgentBots = z.output<typeof AgentBots>;
/**
 * Agents that have bot tokens, by id, after `afterAgentId`; fewer than `limit` is the end. For the channels service on
 * its own behalf (no account in the context): the tokens are in the clear. Errors: ACCESS_DENIED for anybody else.
 */
export const listAgentBots = request('lifecycle.agent.bots', {
  input: wire({ afterAgentId: AgentId.optional(), limit: Count }),
  output: wire({ bots: z.array(AgentBots) }),
});

/** Where an agent's own notifications go. For webhook-dispatch, on its own behalf. Errors: NOT_FOUND. */
export const getAgentWebhooks = request('lifecycle.agent.webhooks', {
  input: wire({ agentId: AgentId }),
  output: wire({
    accountId: AccountId,
    webhooks: wire({
      messageComplete: z.string().optional(),
      messageFailed: z.string().optional(),
      agentError: z.string().optional(),
    }),
  }),
});
