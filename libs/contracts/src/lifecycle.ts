import { z } from 'zod';
import {
  AgentList,
  AgentReadiness,
  AgentReply,
  AgentSummary,
  Balance,
  balanceFields,
  ChangedStatus,
  CreateAgent,
  DeletedAgent,
  hasOneChange,
  ListAgents,
  updateFields,
  VersionNumber,
  WorkspaceState,
} from './agents.js';
import { BudgetState } from './budgets.js';
import { request } from './request.js';
import { StepUsage } from './usage.js';
import { AgentId, Count, wire } from './wire.js';

/** Creates an agent; committed when the reply arrives. Errors: VALIDATION_ERROR. */
export const createAgent = request('lifecycle.agent.create', { input: CreateAgent, output: AgentReply });
/** Errors: NOT_FOUND, also for another account's agent. */
export const getAgent = request('lifecycle.agent.get', { input: wire({ agentId: AgentId }), output: AgentReply });
export const listAgents = request('lifecycle.agent.list', { input: ListAgents, output: AgentList });

const byId = wire({ agentId: AgentId });
/** Never wakes the workspace. What another service counts is 0 while it is away. Errors: NOT_FOUND. */
export const summarizeAgent = request('lifecycle.agent.summary', { input: byId, output: AgentSummary });

/** Errors: NOT_FOUND. */
export const checkAgentReady = request('lifecycle.agent.ready', { input: byId, output: AgentReadiness });

/**
 * Changes an agent, its `files` included: all of it or nothing. Takes effect from the next turn.
 * Errors: NOT_FOUND, VALIDATION_ERROR (also a smaller `pvcSize`), ALREADY_EXISTS and NOT_FOUND of a file,
 * AGENT_UNAVAILABLE when there are files and no workspace to be had; CONFLICT, with the present one, when its
 * configuration has another version than `ifVersion`.
 */
export const updateAgent = request('lifecycle.agent.update', {
  input: wire({ agentId: AgentId, ...updateFields, ifVersion: VersionNumber.optional() }),
  output: AgentReply,
  timeoutMs: 120_000,
});

/** Stops and forgets the agent; the other services and the volume follow by its event. Errors: NOT_FOUND, also the second time. */
export const deleteAgent = request('lifecycle.agent.delete', { input: byId, output: DeletedAgent });

/** Errors of all four: NOT_FOUND, VALIDATION_ERROR where the state does not allow it (spec: 00-overview, "Agent states"). */
export const pauseAgent = request('lifecycle.agent.pause', { input: byId, output: ChangedStatus });
export const resumeAgent = request('lifecycle.agent.resume', { input: byId, output: ChangedStatus });
export const stopAgent = request('lifecycle.agent.stop', { input: byId, output: ChangedStatus });
export const setAgentStatus = request('lifecycle.agent.set-status', {
  input: wire({ agentId: AgentId, status: z.enum(['active', 'paused', 'stopped']) }),
  output: ChangedStatus,
});

/** Errors: NOT_FOUND, VALIDATION_ERROR, CONFLICT (below zero, with the current balance; or too large). */
export const changeBalance = request('lifecycle.balance.change', {
  input: wire({ agentId: AgentId, ...balanceFields }).refine(hasOneChange, 'give either output_token_balance or delta'),
  output: Balance,
});

/**
 * Debits what a model step put out. Idempotent by `stepId`: a repeated step changes nothing.
 * The balance never goes below zero; the caller stops its turn when it reads zero.
 */
export const debitTokens = request('lifecycle.balance.debit', {
  input: wire({
    agentId: AgentId,
    stepId: z.string().min(1).max(200),
    /** Taken off the balance. */
    outputTokens: Count,
    /** All that the step used, for reports and budgets. A worker of an older version does not say it. */
    usage: StepUsage.optional(),
  }),
  output: wire({ outputTokenBalance: Count, budget: BudgetState.optional() }),
});

/**
 * Makes sure that the agent's workspace daemon answers on the bus, waking or making it if needed.
 * Errors: NOT_FOUND, AGENT_UNAVAILABLE (stopped, or its workspace cannot be made: the reason is in the message).
 */
export const ensureWorkspace = request('lifecycle.workspace.ensure', {
  input: wire({ agentId: AgentId }),
  output: wire({ workspace: WorkspaceState }),
  timeoutMs: 60_000,
});
