import { z } from 'zod';
import { Permissions } from './permissions.js';
import { quantityBytes, quantityMillicores } from './quantities.js';
import { clearable } from './shapes.js';
import { secretOrName } from './secret-names.js';
import { placeholdersOf, tooManyPlaceholders } from './template-placeholders.js';
import { wire } from './wire.js';

/** `value` is what a header or a variable of the environment may be. */
const mcpServer = <V extends z.ZodType>(value: V) =>
  z.union([
    wire({
      url: z
        .url({ protocol: /^https?$/ })
        .max(2048)
        .describe('Where the server is.'),
      headers: z
        .record(z.string(), value)
        .optional()
        .describe('Headers of every call to it, such as `Authorization`. Sealed; read back as `***`.'),
      transport: z
        .enum(['http', 'sse'])
        .optional()
        .describe(
          '`http`: Streamable HTTP. `sse`: the older HTTP with SSE. Without it the first, and the second where the first is not known.',
        ),
    }).describe('A server that runs somewhere else.'),
    wire({
      command: z.string().min(1).max(4096).describe('The program in the workspace that speaks MCP over stdio.'),
      args: z.array(z.string().max(4096)).max(100).optional().describe('Its arguments.'),
      env: z
        .record(z.string(), value)
        .optional()
        .describe('Its environment, on top of `custom_env`. The agent can read it; read back as `***`.'),
    }).describe('A server that runs in the agent’s workspace.'),
  ]);
export const McpServerConfig = mcpServer(z.string()).meta({
  id: 'McpServerConfig',
  description: 'An MCP server of the agent: remote by `url`, or in its workspace by `command`.',
});
export type McpServerConfig = z.output<typeof McpServerConfig>;

export const MAX_ENV_ENTRIES = 20;
const customEnv = <V extends z.ZodType>(value: V) =>
  z
    .record(z.string().regex(/^[A-Z_][A-Z0-9_]*$/, 'must be an environment name: A-Z, 0-9 and _'), value)
    .refine((env) => Object.keys(env).length <= MAX_ENV_ENTRIES, `at most ${MAX_ENV_ENTRIES} entries`);
const EnvValue = z.string().max(32_768);
const McpServerName = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/);

export const StorageQuantity = z
  .string()
  .max(20)
  .refine((text) => quantityBytes(text) !== undefined, 'must be a quantity like 1Gi or 500Mi')
  .meta({ description: 'Bytes as a Kubernetes quantity: `500Mi`, `1.5Gi`, `2G`.', examples: ['1Gi'] });

/** Of objects of the configuration that a change merges field by field. */
const memoryFields = {
  type: z
    .enum(['hierarchical', 'flat'])
    .optional()
    .describe('`hierarchical` (default): `memory/` with an index that is always in context. `flat`: one `MEMORY.md`.'),
  maxSizeMb: z
    .number()
    .int()
    .min(1)
    .max(102_400)
    .optional()
    .describe('Most that all its topics may hold together, in MiB; one file holds 512 KiB. 1,024 if not given.'),
  persistence: z
    .enum(['persistent', 'ephemeral'])
    .optional()
    .describe('`ephemeral`: wiped at the end of each session. `persistent` (default): kept.'),
};
const compactionFields = {
  enabled: z.boolean().optional().describe('Whether it is done. True if not given.'),
  thresholdTrigger: z
    .number()
    .int()
    .min(50_000)
    .max(180_000)
    .optional()
    .describe('From how many input tokens on. 120,000 if not given.'),
  model: z.string().min(1).max(200).optional().describe('Which model summarises; that of the agent if not given.'),
  instructions: z.string().max(2_000).optional().describe('What the summary is to keep, in your words.'),
};
const hookFields = {
  channelMessageReceived: z
    .string()
    .max(10_000)
    .optional()
    .describe('What the agent gets in place of new messages: `{{content}}`, `{{sender}}`, `{{channel}}`, `{{count}}`.'),
  unreadMessageReminder: z
    .string()
    .max(10_000)
    .optional()
    .describe('The reminder of messages that wait: `{{count}}` says how many.'),
  sessionStart: z.string().max(10_000).optional().describe('Said to the agent before the first messages of a session.'),
  sessionEnd: z.string().max(10_000).optional().describe('What the agent is to do before a session ends.'),
  beforeCompaction: z
    .string()
    .max(10_000)
    .optional()
    .describe('Said to the model that summarises, after `compaction.instructions`.'),
};
const webhookFields = {
  messageComplete: z.url().max(2048).optional().describe('Gets `message.completed`.'),
  messageFailed: z.url().max(2048).optional().describe('Gets `message.failed`.'),
  agentError: z.url().max(2048).optional().describe('Gets `agent.error`.'),
};
const resourceFields = {
  cpu: z
    .string()
    .max(20)
    .refine((text) => (quantityMillicores(text) ?? 0) > 0, 'must be a quantity like 500m or 2')
    .optional()
    .meta({
      description: 'Processors as a Kubernetes quantity: `500m` is half a one. `500m` if not given.',
      examples: ['500m'],
    }),
  memory: StorageQuantity.refine((text) => quantityBytes(text) !== 0, 'must not be zero')
    .optional()
    .describe('Memory in bytes as a Kubernetes quantity. `512Mi` if not given.'),
};

const configurationFields = {
  timeoutSeconds: z
    .number()
    .int()
    .min(1)
    .max(86_400)
    .optional()
    .describe('Longest turn, in seconds. 3,600 if not given.'),
  model: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .meta({
      description:
        'Which model answers: `provider/model`, such as `anthropic/claude-sonnet-4-5` or `openai/gpt-5`, or `demo`. `GET /v1/models` lists what can be used; the platform’s default if not given.',
      examples: ['demo'],
    }),
  mcpServers: z
    .record(McpServerName, McpServerConfig)
    .optional()
    .describe('MCP servers of this agent by name. A tool is called `name__tool`. A change replaces all of them.'),
  memoryConfig: wire(memoryFields).optional().describe('What the agent keeps in mind from one session to the next.'),
  compaction: wire(compactionFields)
    .optional()
    .describe('The replacement of an old part of the context by its summary when it grows too long.'),
  customEnv: customEnv(EnvValue)
    .optional()
    .describe(
      'Environment variables of the workspace: at most 20, of names in capitals. The agent can read them; read back as `***`. A change replaces all of them.',
    ),
  unreadReminderIntervalMs: z
    .number()
    .int()
    .min(10_000)
    .max(3_600_000)
    .optional()
    .describe('How often a running agent is reminded of messages that wait, in milliseconds. 120,000 if not given.'),
  hookMessages: wire(hookFields)
    .optional()
    .describe('Templates of what the platform says to the agent. An unknown `{{variable}}` is refused.'),
  webhooks: wire(webhookFields)
    .optional()
    .describe(
      'URLs that get what happens to this agent. They appear among the webhook endpoints with `source: agent`.',
    ),
  network: wire({
    mode: z
      .enum(['public', 'allowlist', 'none'])
      .describe('`public`: any public address over HTTP and HTTPS. `allowlist`: those of `allow` only. `none`: none.'),
    allow: z
      .array(z.string().min(1).max(300))
      .max(200)
      .optional()
      .describe('Hosts of `allowlist`: `api.github.com`, `*.example.org`, with `:443` for one port.'),
    traceContext: z
      .boolean()
      .optional()
      .describe(
        'Whether commands learn the trace they run in: `TRACEPARENT` in their environment, and a `traceparent` header on their plain HTTP requests. False if not given.',
      ),
  })
    .optional()
    .describe(
      'What the workspace may reach; `public` if not given. Private and loopback addresses never. A change replaces all of it.',
    ),
  resources: wire(resourceFields)
    .optional()
    .describe('Limits of the workspace. The operator sets the most that may be asked for.'),
  permissions: Permissions.optional().describe(
    'What its tools may do unasked, and who is asked about the rest; without it everything is allowed. A change replaces all of it.',
  ),
};

/** spec: agents.md, "Configuration". Every field is optional in storage; defaults are filled in where they are read. */
export const AgentConfiguration = wire(configurationFields).meta({
  id: 'AgentConfiguration',
  description: 'How the agent works. Every field may be left out.',
});
export type AgentConfiguration = z.output<typeof AgentConfiguration>;

/** The same in a document, where secrets may be given by name. */
export const documentedConfigurationFields = {
  ...configurationFields,
  mcpServers: z
    .record(
      McpServerName,
      mcpServer(secretOrName(z.string())).meta({
        id: 'DocumentedMcpServer',
        description: 'An MCP server as in the agent; its headers and variables may be given by name.',
      }),
    )
    .optional()
    .describe('MCP servers of this agent by name.'),
  customEnv: customEnv(secretOrName(EnvValue))
    .optional()
    .describe('Environment variables of the workspace: at most 20, of names in capitals. The agent can read them.'),
};

/** What fills the placeholders of each hook's template. */
const HOOK_VARIABLES: Record<string, string[]> = {
  channelMessageReceived: ['channel', 'sender', 'content', 'count'],
  unreadMessageReminder: ['count'],
  sessionStart: [],
  sessionEnd: [],
  beforeCompaction: [],
};

/** spec: runtime.md, "Hooks": a placeholder that nothing fills is refused when it is set, so that a typo does not reach the agent. */
export function hooksAreKnown(
  { hookMessages }: { hookMessages?: Record<string, string | null | undefined> | null | undefined },
  ctx: z.core.$RefinementCtx,
): void {
  const templates = hookMessages ?? {};
  for (const [hook, variables] of Object.entries(HOOK_VARIABLES)) {
    const template = templates[hook] ?? '';
    const field = hook.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    const refuse = (message: string) =>
      ctx.addIssue({ code: 'custom', path: ['hook_messages', field], input: template, message });
    const tooMany = tooManyPlaceholders(template);
    if (tooMany !== undefined) {
      refuse(tooMany);
      continue;
    }
    for (const name of placeholdersOf(template)) {
      if (variables.includes(name)) continue;
      const known = variables.map((variable) => `{{${variable}}}`).join(', ') || 'none';
      refuse(`{{${name}}} is not a variable of this hook; there are: ${known}`);
    }
  }
}

/** As a field of a change: each of its own fields may be null, too. */
const mergeable = <S extends z.ZodRawShape>(fields: S, description: string | undefined) =>
  wire(clearable(fields))
    .nullable()
    .optional()
    .describe(description ?? '');

/**
 * A change of a configuration: absent fields stay, null clears one. Objects of fixed fields merge field by field;
 * `mcpServers`, `customEnv`, `network` and `permissions` are replaced whole. A secret given as `***`, as it was read, stays what it is.
 */
export const ConfigurationPatch = wire({
  ...clearable(configurationFields),
  memoryConfig: mergeable(memoryFields, configurationFields.memoryConfig.description),
  compaction: mergeable(compactionFields, configurationFields.compaction.description),
  hookMessages: mergeable(hookFields, configurationFields.hookMessages.description),
  webhooks: mergeable(webhookFields, configurationFields.webhooks.description),
  resources: mergeable(resourceFields, configurationFields.resources.description),
})
  .superRefine(hooksAreKnown)
  .meta({
    id: 'ConfigurationPatch',
    description:
      'A change of the configuration: what is left out stays, null clears a field. Objects merge field by field, and null clears one of theirs; `mcp_servers`, `custom_env`, `network` and `permissions` are replaced whole. A secret given as `***`, as it was read, stays what it is.',
  });
export type ConfigurationPatch = z.output<typeof ConfigurationPatch>;
