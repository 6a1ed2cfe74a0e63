import { z } from 'zod';
import { quantityBytes, quantityMillicores } from './quantities.js';
import { clearable } from './shapes.js';
import { placeholdersOf, tooManyPlaceholders } from './template-placeholders.js';
import { wire } from './wire.js';

export const McpServerConfig = z.union([
  wire({
    url: z.url({ protocol: /^https?$/ }).max(2048),
    headers: z.record(z.string(), z.string()).optional(),
    transport: z.enum(['http', 'sse']).optional(),
  }),
  wire({
    command: z.string().min(1).max(4096),
    args: z.array(z.string().max(4096)).max(100).optional(),
    env: z.record(z.string(), z.string()).optional(),
  }),
]);
export type McpServerConfig = z.output<typeof McpServerConfig>;

const CustomEnv = z
  .record(z.string().regex(/^[A-Z_][A-Z0-9_]*$/, 'must be an environment name: A-Z, 0-9 and _'), z.string().max(32_768))
  .refine((env) => Object.keys(env).length <= 20, 'at most 20 entries');

export const StorageQuantity = z
  .string()
  .max(20)
  .refine((text) => quantityBytes(text) !== undefined, 'must be a quantity like 1Gi or 500Mi')
  .meta({ description: 'A Kubernetes quantity of bytes', examples: ['1Gi'] });

const configurationFields = {
  timeoutSeconds: z.number().int().min(1).max(86_400).optional(),
  model: z.string().min(1).max(200).optional(),
  mcpServers: z.record(z.string().regex(/^[A-Za-z0-9_-]{1,64}$/), McpServerConfig).optional(),
  memoryConfig: wire({
    type: z.enum(['hierarchical', 'flat']).optional(),
    maxSizeMb: z.number().int().min(1).max(102_400).optional(),
    persistence: z.enum(['persistent', 'ephemeral']).optional(),
  }).optional(),
  compaction: wire({
    enabled: z.boolean().optional(),
    thresholdTrigger: z.number().int().min(50_000).max(180_000).optional(),
    model: z.string().min(1).max(200).optional(),
    instructions: z.string().max(2_000).optional(),
  }).optional(),
  customEnv: CustomEnv.optional(),
  unreadReminderIntervalMs: z.number().int().min(10_000).max(3_600_000).optional(),
  hookMessages: wire({
    channelMessageReceived: z.string().max(10_000).optional(),
    unreadMessageReminder: z.string().max(10_000).optional(),
    sessionStart: z.string().max(10_000).optional(),
    sessionEnd: z.string().max(10_000).optional(),
    beforeCompaction: z.string().max(10_000).optional(),
  }).optional(),
  webhooks: wire({
    messageComplete: z.url().max(2048).optional(),
    messageFailed: z.url().max(2048).optional(),
    agentError: z.url().max(2048).optional(),
  }).optional(),
  network: wire({
    mode: z.enum(['public', 'allowlist', 'none']),
    allow: z.array(z.string().min(1).max(300)).max(200).optional(),
  }).optional(),
  resources: wire({
    cpu: z
      .string()
      .max(20)
      .refine((text) => (quantityMillicores(text) ?? 0) > 0, 'must be a quantity like 500m or 2')
      .meta({ description: 'A Kubernetes quantity of CPUs', examples: ['500m'] })
      .optional(),
    memory: StorageQuantity.refine((text) => quantityBytes(text) !== 0, 'must not be zero').optional(),
  }).optional(),
};

/** spec: agents.md, "Configuration". Every field is optional in storage; defaults are filled in where they are read. */
export const AgentConfiguration = wire(configurationFields);
export type AgentConfiguration = z.output<typeof AgentConfiguration>;

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
  { hookMessages }: { hookMessages?: AgentConfiguration['hookMessages'] | null },
  ctx: z.core.$RefinementCtx,
): void {
  const templates: Record<string, string | undefined> = hookMessages ?? {};
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

/**
 * A change of a configuration: absent fields stay, null clears one. Objects of fixed fields merge field by field;
 * `mcpServers`, `customEnv` and `network` are replaced whole. A secret given as `***`, as it was read, stays what it is.
 */
export const ConfigurationPatch = wire(clearable(configurationFields)).superRefine(hooksAreKnown);
export type ConfigurationPatch = z.output<typeof ConfigurationPatch>;
