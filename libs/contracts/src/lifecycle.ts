import { z } from 'zod';
import { AgentConfiguration, ConfigurationPatch, hooksAreKnown, StorageQuantity } from './agent-configuration.js';
import { ownBotChanges, perPlatform } from './platforms.js';
import { Provider } from './provider-keys.js';
import { request } from './request.js';
import { AgentId, Count, pageQuery, Pagination, Timestamp, wire } from './wire.js';

/** spec: 00-overview, "Agent states". */
export const AGENT_STATUSES = ['active', 'paused', 'stopped', 'error'] as const;
export const AgentStatus = z.enum(AGENT_STATUSES);
export type AgentStatus = z.output<typeof AgentStatus>;

export const WORKSPACE_STATES = ['running', 'asleep', 'starting', 'stopped', 'failed'] as const;
export const WorkspaceState = z.enum(WORKSPACE_STATES);
export type WorkspaceState = z.output<typeof WorkspaceState>;

/** `value` fits between the two as users count characters, an emoji being one. */
function characters(min: number, max: number) {
  const segmenter = new Intl.Segmenter();
  return z.string().superRefine((value, ctx) => {
    // A grapheme may be many code units: the cheap bound first, so that a huge text is not segmented.
    const count = value.length > max * 32 ? max + 1 : [...segmenter.segment(value)].length;
    if (count < min) ctx.addIssue({ code: 'too_small', minimum: min, origin: 'string', input: value });
    else if (count > max) ctx.addIssue({ code: 'too_big', maximum: max, origin: 'string', input: value });
  });
}

export const AgentName = characters(1, 100).meta({
  description: '1 to 100 characters as users count them',
  examples: ['my-agent'],
});

const Secret = z
  .string()
  .min(1)
  .max(10_000)
  .meta({ examples: ['sk-…'] });

export const InitialFile = wire({
  path: z.string().min(1).max(4096),
  content: z.string(),
  encoding: z.enum(['utf-8', 'base64']).default('utf-8'),
});
export type InitialFile = z.output<typeof InitialFile>;

/** Fields of create that mean the same in update. */
const agentFields = {
  description: characters(0, 500).nullable(),
  pvcSize: StorageQuantity,
  anthropicApiKey: Secret.nullable(),
  outputTokenBalance: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER),
  systemPrompt: z.string().max(100_000).nullable(),
  systemPromptType: z.enum(['replace', 'append']),
  sessionMode: z.enum(['ephemeral', 'persistent']),
  warmthWindowMs: z.number().int().min(300_000).max(2_147_483_647).nullable(),
};

export const CreateAgent = wire({
  name: AgentName,
  description: agentFields.description.default(null),
  pvcSize: agentFields.pvcSize.default('1Gi'),
  anthropicApiKey: agentFields.anthropicApiKey.optional(),
  providerKeys: z.partialRecord(Provider, Secret.nullable()).optional(),
  outputTokenBalance: agentFields.outputTokenBalance.default(1_000_000),
  systemPrompt: agentFields.systemPrompt.default(null),
  systemPromptType: agentFields.systemPromptType.default('append'),
  sessionMode: agentFields.sessionMode.default('ephemeral'),
  warmthWindowMs: agentFields.warmthWindowMs.default(300_000),
  ...ownBotChanges,
  configuration: AgentConfiguration.superRefine(hooksAreKnown).default({}),
  initialFiles: z.array(InitialFile).max(100).default([]),
});
export type CreateAgent = z.output<typeof CreateAgent>;

/** One of `files` in an update. `create` refuses an existing path, `update` and `delete` an absent one. */
export const FileOperation = wire({
  operation: z.enum(['create', 'update', 'delete']),
  path: z.string().min(1).max(4096),
  content: z.string().optional(),
  encoding: z.enum(['utf-8', 'base64']).default('utf-8'),
}).refine(({ operation, content }) => operation === 'delete' || content !== undefined, {
  path: ['content'],
  message: 'is required unless the operation is delete',
});
export type FileOperation = z.output<typeof FileOperation>;

const updateFields = {
  name: AgentName.optional(),
  description: agentFields.description.optional(),
  pvcSize: agentFields.pvcSize.optional(),
  anthropicApiKey: agentFields.anthropicApiKey.optional(),
  providerKeys: z.partialRecord(Provider, Secret.nullable()).optional(),
  outputTokenBalance: agentFields.outputTokenBalance.optional(),
  systemPrompt: agentFields.systemPrompt.optional(),
  systemPromptType: agentFields.systemPromptType.optional(),
  sessionMode: agentFields.sessionMode.optional(),
  warmthWindowMs: agentFields.warmthWindowMs.optional(),
  ...ownBotChanges,
  configuration: ConfigurationPatch.optional(),
  files: z.array(FileOperation).max(100).optional(),
};
/** The body of `POST /v1/agent/update/{id}`. */
export const UpdateAgent = wire(updateFields);
export type UpdateAgent = z.output<typeof UpdateAgent>;

export const FilesystemSummary = wire({
  totalFiles: Count,
  totalSizeMb: z.number().min(0),
  lastModified: Timestamp.nullable(),
});

export const Agent = wire({
  id: AgentId,
  uuid: AgentId,
  name: z.string(),
  description: z.string().nullable(),
  status: AgentStatus,
  statusReason: z.string().nullable(),
  createdAt: Timestamp,
  updatedAt: Timestamp,
  pvcSize: z.string(),
  sessionMode: z.enum(['ephemeral', 'persistent']),
  warmthWindowMs: z.number().nullable(),
  outputTokenBalance: Count,
  configuration: AgentConfiguration,
  systemPrompt: z.string().nullable(),
  systemPromptType: z.enum(['replace', 'append']),
  mcpServers: z.array(wire({ id: z.string(), name: z.string(), accessMode: z.string(), status: z.string() })),
  filesystemSummary: FilesystemSummary.nullable(),
  ...perPlatform('BotConfigured', () => z.boolean()),
});
export type Agent = z.output<typeof Agent>;

export const AgentListItem = wire({
  id: AgentId,
  uuid: AgentId,
  name: z.string(),
  description: z.string().nullable(),
  status: AgentStatus,
  createdAt: Timestamp,
  updatedAt: Timestamp,
  messageCount: Count,
  mcpServerCount: Count,
});

export const ListAgents = wire({
  ...pageQuery,
  status: AgentStatus.optional(),
  sort: z.enum(['created_at', 'updated_at', 'name']).default('created_at'),
  order: z.enum(['asc', 'desc']).default('desc'),
});
export type ListAgents = z.output<typeof ListAgents>;
export const AgentList = wire({ agents: z.array(AgentListItem), pagination: Pagination });

/** Creates an agent; committed when the reply arrives. Errors: VALIDATION_ERROR. */
export const createAgent = request('lifecycle.agent.create', { input: CreateAgent, output: Agent });
/** Errors: NOT_FOUND, also for another account's agent. */
export const getAgent = request('lifecycle.agent.get', { input: wire({ agentId: AgentId }), output: Agent });
export const listAgents = request('lifecycle.agent.list', { input: ListAgents, output: AgentList });

export const AgentSummary = wire({
  uuid: AgentId,
  id: AgentId,
  name: z.string(),
  status: AgentStatus,
  outputTokenBalance: Count,
  totalOutputTokensUsed: Count,
  messageCount: Count,
  mcpServerCount: Count,
  createdAt: Timestamp,
  updatedAt: Timestamp,
});
const byId = wire({ agentId: AgentId });
/** Never wakes the workspace. What another service counts is 0 while it is away. Errors: NOT_FOUND. */
export const summarizeAgent = request('lifecycle.agent.summary', { input: byId, output: AgentSummary });

/** `ready`: a message sent now would be processed; an active agent whose workspace sleeps is ready. */
export const AgentReadiness = wire({
  ready: z.boolean(),
  status: AgentStatus,
  workspace: WorkspaceState,
  reason: z.string().optional(),
});
/** Errors: NOT_FOUND. */
export const checkAgentReady = request('lifecycle.agent.ready', { input: byId, output: AgentReadiness });

/**
 * Changes an agent, its `files` included: all of it or nothing. Takes effect from the next turn.
 * Errors: NOT_FOUND, VALIDATION_ERROR (also a smaller `pvcSize`), ALREADY_EXISTS and NOT_FOUND of a file,
 * AGENT_UNAVAILABLE when there are files and no workspace to be had.
 */
export const updateAgent = request('lifecycle.agent.update', {
  input: wire({ agentId: AgentId, ...updateFields }),
  output: Agent,
  timeoutMs: 120_000,
});

export const DeletedAgent = wire({ message: z.string(), id: AgentId });
/** Stops and forgets the agent; the other services and the volume follow by its event. Errors: NOT_FOUND, also the second time. */
export const deleteAgent = request('lifecycle.agent.delete', { input: byId, output: DeletedAgent });

export const ChangedStatus = wire({ message: z.string(), status: AgentStatus });
/** Errors of all four: NOT_FOUND, VALIDATION_ERROR where the state does not allow it (spec: 00-overview, "Agent states"). */
export const pauseAgent = request('lifecycle.agent.pause', { input: byId, output: ChangedStatus });
export const resumeAgent = request('lifecycle.agent.resume', { input: byId, output: ChangedStatus });
export const stopAgent = request('lifecycle.agent.stop', { input: byId, output: ChangedStatus });
/** The body of `POST /v1/agent/{id}/status`. */
export const SetStatus = wire({ status: z.enum(['active', 'paused', 'stopped']) });
export type SetStatus = z.output<typeof SetStatus>;
export const setAgentStatus = request('lifecycle.agent.set-status', {
  input: wire({ agentId: AgentId, status: z.enum(['active', 'paused', 'stopped']) }),
  output: ChangedStatus,
});

const balanceFields = {
  outputTokenBalance: agentFields.outputTokenBalance.optional(),
  delta: z.number().int().min(-Number.MAX_SAFE_INTEGER).max(Number.MAX_SAFE_INTEGER).optional(),
};
const hasOneChange = (change: { outputTokenBalance?: number | undefined; delta?: number | undefined }) =>
  (change.outputTokenBalance === undefined) !== (change.delta === undefined);
/** The body of `POST /v1/agent/{id}/balance`: exactly one of its two fields. */
export const BalanceChange = wire(balanceFields).refine(hasOneChange, 'give either output_token_balance or delta');
export type BalanceChange = z.output<typeof BalanceChange>;
export const Balance = wire({ outputTokenBalance: Count, totalOutputTokensUsed: Count });
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
  input: wire({ agentId: AgentId, stepId: z.string().min(1).max(200), outputTokens: Count }),
  output: wire({ outputTokenBalance: Count }),
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
