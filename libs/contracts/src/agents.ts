import { z } from 'zod';
import { AgentConfiguration, ConfigurationPatch, hooksAreKnown, StorageQuantity } from './agent-configuration.js';
import { AgentMcpServer } from './mcp-servers.js';
import { ownBotChanges, perPlatform } from './platforms.js';
import { Provider } from './provider-keys.js';
import { AgentId, Count, Done, pageQuery, Pagination, Timestamp, wire } from './wire.js';
import { FileEncoding } from './workspace.js';

/** spec: 00-overview, "Agent states". */
export const AGENT_STATUSES = ['active', 'paused', 'stopped', 'error'] as const;
export const AgentStatus = z.enum(AGENT_STATUSES).meta({
  id: 'AgentStatus',
  description:
    '`active`: answers messages. `paused`: takes messages and answers them after resume; files can be used. `stopped`: takes none (503), its workspace is down, its files stay. `error`: as stopped, for the reason in `status_reason`.',
});
export type AgentStatus = z.output<typeof AgentStatus>;

export const WORKSPACE_STATES = ['running', 'asleep', 'starting', 'stopped', 'failed'] as const;
export const WorkspaceState = z.enum(WORKSPACE_STATES).meta({
  id: 'WorkspaceState',
  description: 'The agent’s sandbox: `asleep` wakes by itself when it is needed; `failed` could not be started.',
});
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
  description: 'What it is called: 1 to 100 characters as people count them. It need not be unique.',
  examples: ['my-agent'],
});

/** Of an agent's configuration, by one per agent. */
export const VersionNumber = z.number().int().min(1).max(2_147_483_647);
export const VersionNote = characters(0, 500).describe('Why, for whoever reads the versions: up to 500 characters.');

const Secret = z
  .string()
  .min(1)
  .max(10_000)
  .meta({ description: 'A key of a model provider. Sealed and never returned.', examples: ['sk-…'] });

const FilePath = z
  .string()
  .min(1)
  .max(4096)
  .meta({ description: 'Where it is in the workspace: `notes.txt`, `data/a.csv`.', examples: ['notes.txt'] });

export const InitialFile = wire({
  path: FilePath,
  content: z.string().describe('What it holds.'),
  encoding: FileEncoding.default('utf-8'),
}).meta({ id: 'InitialFile', description: 'A file that the agent begins with.' });
export type InitialFile = z.output<typeof InitialFile>;

/** Fields of create that mean the same in update. */
export const agentFields = {
  description: characters(0, 500).nullable().describe('What it is for, in your words: up to 500 characters.'),
  pvcSize: StorageQuantity.describe(
    'Size of its volume, as a Kubernetes quantity: 100Mi to 100Gi unless the operator set others. It can grow later and not shrink.',
  ),
  anthropicApiKey: Secret.nullable().describe(
    'The agent’s own Anthropic key; the same as `provider_keys.anthropic`. Sealed and never returned; null clears it. `${vault.NAME}` stands for a secret of the account’s vault.',
  ),
  providerKeys: z
    .partialRecord(Provider, Secret.nullable())
    .describe(
      'The agent’s own keys by provider, in place of the account’s and the platform’s. Sealed and never returned; null clears one. `${vault.NAME}` stands for a secret of the account’s vault, whose hosts the provider’s must be among.',
    ),
  outputTokenBalance: z
    .number()
    .int()
    .min(0)
    .max(Number.MAX_SAFE_INTEGER)
    .describe('Output tokens that it may spend. At 0 its messages wait until there are more.'),
  systemPrompt: z
    .string()
    .max(100_000)
    .nullable()
    .describe('Its instructions: what it is and does: up to 100,000 characters.'),
  systemPromptType: z
    .enum(['replace', 'append'])
    .describe('Whether `system_prompt` comes after the platform’s own prompt, or in place of it.'),
  sessionMode: z
    .enum(['ephemeral', 'persistent'])
    .describe(
      '`ephemeral`: each turn begins afresh, with the last messages of its conversation (20, at most 8,000 tokens). `persistent`: each conversation is one unbroken context, compacted when it grows long.',
    ),
  warmthWindowMs: z
    .number()
    .int()
    .min(300_000)
    .max(2_147_483_647)
    .nullable()
    .describe(
      'How long its workspace stays awake without use, in milliseconds: at least 300,000 (5 minutes). Null: always.',
    ),
};

export const CreateAgent = wire({
  name: AgentName,
  description: agentFields.description.default(null),
  pvcSize: agentFields.pvcSize.default('1Gi'),
  anthropicApiKey: agentFields.anthropicApiKey.optional(),
  providerKeys: agentFields.providerKeys.optional(),
  outputTokenBalance: agentFields.outputTokenBalance.default(1_000_000),
  systemPrompt: agentFields.systemPrompt.default(null),
  systemPromptType: agentFields.systemPromptType.default('append'),
  sessionMode: agentFields.sessionMode.default('ephemeral'),
  warmthWindowMs: agentFields.warmthWindowMs.default(300_000),
  ...ownBotChanges,
  configuration: AgentConfiguration.superRefine(hooksAreKnown).default({}),
  initialFiles: z
    .array(InitialFile)
    .max(100)
    .default([])
    .describe(
      'Files that it begins with: at most 100, 10 MiB in all. A path that cannot be is 400, and no agent is made.',
    ),
}).meta({ id: 'CreateAgent', description: 'A new agent. Only `name` is needed.' });
export type CreateAgent = z.output<typeof CreateAgent>;

/** One of `files` in an update. `create` refuses an existing path, `update` and `delete` an absent one. */
export const FileOperation = wire({
  operation: z
    .enum(['create', 'update', 'delete'])
    .describe('`create` refuses a path that exists, `update` and `delete` one that does not.'),
  path: FilePath,
  content: z.string().optional().describe('What it is to hold; not for `delete`.'),
  encoding: FileEncoding.default('utf-8'),
})
  .refine(({ operation, content }) => operation === 'delete' || content !== undefined, {
    path: ['content'],
    message: 'is required unless the operation is delete',
  })
  .meta({ id: 'FileOperation', description: 'A change of one file.' });
export type FileOperation = z.output<typeof FileOperation>;

export const updateFields = {
  name: AgentName.optional(),
  description: agentFields.description.optional(),
  pvcSize: agentFields.pvcSize.optional(),
  anthropicApiKey: agentFields.anthropicApiKey.optional(),
  providerKeys: agentFields.providerKeys.optional(),
  outputTokenBalance: agentFields.outputTokenBalance.optional(),
  systemPrompt: agentFields.systemPrompt.optional(),
  systemPromptType: agentFields.systemPromptType.optional(),
  sessionMode: agentFields.sessionMode.optional(),
  warmthWindowMs: agentFields.warmthWindowMs.optional(),
  ...ownBotChanges,
  configuration: ConfigurationPatch.optional(),
  files: z.array(FileOperation).max(100).optional().describe('Changes of files, in their order: all of them or none.'),
  note: VersionNote.optional(),
};
/** The body of `POST /v1/agent/update/{id}`. */
export const UpdateAgent = wire(updateFields).meta({
  id: 'UpdateAgent',
  description: 'A change of an agent: what is left out stays.',
});
export type UpdateAgent = z.output<typeof UpdateAgent>;

export const FilesystemSummary = wire({
  totalFiles: Count.describe('How many files there are.'),
  totalSizeMb: z.number().min(0).describe('Their size together, in MiB.'),
  lastModified: Timestamp.nullable().describe('When one of them was last changed.'),
}).meta({ id: 'FilesystemSummary', description: 'What the workspace holds.' });

/** What lists and summaries show of an agent, too. */
const shownFields = {
  id: AgentId,
  uuid: AgentId.describe('The same as `id`.'),
  name: z.string().describe('What it is called.'),
  description: z.string().nullable().describe('What it is for.'),
  status: AgentStatus,
  createdAt: Timestamp.describe('When it was made.'),
  updatedAt: Timestamp.describe('When it was last changed.'),
  outputTokenBalance: Count.describe('Output tokens that are left.'),
  messageCount: Count.describe('Messages of all its conversations, both ways.'),
  mcpServerCount: Count.describe('MCP servers of the account’s registry that it may use.'),
};

const version = VersionNumber.describe(
  'Version of its configuration. It is the `ETag`, too: with `If-Match` a change is refused that was made of another.',
);
const providerKeysConfigured = z.array(Provider).describe('Providers of which it has a key of its own.');
const wholeFields = {
  id: shownFields.id,
  uuid: shownFields.uuid,
  name: shownFields.name,
  description: shownFields.description,
  status: AgentStatus,
  statusReason: z.string().nullable().describe('Why it is in its status, and what to do: of `error`, for example.'),
  createdAt: shownFields.createdAt,
  updatedAt: shownFields.updatedAt,
  version,
  pvcSize: z.string().describe('Size of its volume, as a Kubernetes quantity.'),
  sessionMode: agentFields.sessionMode,
  warmthWindowMs: z
    .number()
    .nullable()
    .describe('How long its workspace stays awake without use, in milliseconds; null: always.'),
  outputTokenBalance: shownFields.outputTokenBalance,
  configuration: AgentConfiguration,
  systemPrompt: z.string().nullable().describe('Its instructions: what it is and does.'),
  systemPromptType: agentFields.systemPromptType,
  mcpServers: z
    .array(AgentMcpServer)
    .describe('MCP servers that it may use: of its own configuration, and of the account’s registry.'),
  filesystemSummary: FilesystemSummary.nullable().describe(
    'What its workspace holds, as last known; null when that is not known.',
  ),
  ...perPlatform('BotConfigured', (platform) =>
    z.boolean().describe(`Whether it has a bot of its own on ${platform}.`),
  ),
  providerKeysConfigured,
};
export const Agent = wire(wholeFields).meta({ id: 'Agent', description: 'An agent, without its secrets.' });
export type Agent = z.output<typeof Agent>;
/** An agent as the service that has it says; one of an older version says no version, or no keys. */
export const AgentReply = wire({
  ...wholeFields,
  version: version.default(1),
  providerKeysConfigured: providerKeysConfigured.default([]),
});

const { id, uuid, name, description, createdAt, updatedAt, outputTokenBalance, messageCount, mcpServerCount } =
  shownFields;
export const AgentListItem = wire({
  id,
  uuid,
  name,
  description,
  status: AgentStatus,
  createdAt,
  updatedAt,
  messageCount,
  mcpServerCount,
}).meta({ id: 'AgentListItem', description: 'An agent in a list.' });

export const ListAgents = wire({
  ...pageQuery,
  status: AgentStatus.optional().describe('Only agents with this status.'),
  sort: z.enum(['created_at', 'updated_at', 'name']).default('created_at').describe('By what they are ordered.'),
  order: z.enum(['asc', 'desc']).default('desc').describe('Rising or falling.'),
});
export type ListAgents = z.output<typeof ListAgents>;
export const AgentList = wire({
  agents: z.array(AgentListItem).describe('The agents of this page.'),
  pagination: Pagination,
});

const totalOutputTokensUsed = Count.describe('Output tokens that it has spent since it was made.');
export const AgentSummary = wire({
  uuid,
  id,
  name,
  status: AgentStatus,
  outputTokenBalance,
  totalOutputTokensUsed,
  messageCount,
  mcpServerCount,
  createdAt,
  updatedAt,
}).meta({ id: 'AgentSummary', description: 'The numbers of an agent.' });
/** `ready`: a message sent now would be processed; an active agent whose workspace sleeps is ready. */
export const AgentReadiness = wire({
  ready: z.boolean().describe('Whether a message sent now would be answered.'),
  status: AgentStatus,
  workspace: WorkspaceState,
  reason: z.string().optional().describe('Why not; absent when it is ready.'),
}).meta({ id: 'AgentReadiness', description: 'Whether an agent would answer now.' });
export const DeletedAgent = wire({ message: Done, id: AgentId }).meta({
  id: 'DeletedAgent',
  description: 'What was deleted.',
});
export const ChangedStatus = wire({ message: Done, status: AgentStatus }).meta({
  id: 'ChangedStatus',
  description: 'The status after the change.',
});
/** The body of `POST /v1/agent/{id}/status`. */
export const SetStatus = wire({
  status: z.enum(['active', 'paused', 'stopped']).describe('The status that it is to have, from whatever it has.'),
});
export type SetStatus = z.output<typeof SetStatus>;
export const balanceFields = {
  outputTokenBalance: agentFields.outputTokenBalance.optional().describe('The new balance, in output tokens.'),
  delta: z
    .number()
    .int()
    .min(-Number.MAX_SAFE_INTEGER)
    .max(Number.MAX_SAFE_INTEGER)
    .optional()
    .describe('What is added to the balance, or taken from it when it is below 0.'),
};
export const hasOneChange = (change: { outputTokenBalance?: number | undefined; delta?: number | undefined }) =>
  (change.outputTokenBalance === undefined) !== (change.delta === undefined);
/** The body of `POST /v1/agent/{id}/balance`: exactly one of its two fields. */
export const BalanceChange = wire(balanceFields).refine(hasOneChange, 'give either output_token_balance or delta');
export type BalanceChange = z.output<typeof BalanceChange>;
export const Balance = wire({ outputTokenBalance, totalOutputTokensUsed }).meta({
  id: 'Balance',
  description: 'What an agent has left and has spent.',
});
