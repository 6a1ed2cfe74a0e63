import { z } from 'zod';
import { documentedConfigurationFields, hooksAreKnown } from './agent-configuration.js';
import { agentFields, AgentName, VersionNumber } from './agents.js';
import { perPlatform, PLATFORMS } from './platforms.js';
import { Provider } from './provider-keys.js';
import { AutomationName, schedulePatchFields, triggerPatchFields } from './scheduler.js';
import { secretOrName } from './secret-names.js';
import { clearable, optional } from './shapes.js';
import { grantVaultFields, SecretName } from './vault.js';
import { webhookChangeFields, WebhookSecret } from './webhooks.js';
import { AgentId, wire } from './wire.js';

/** Agents as a file: what they are to be, by name (docs/guide/as-files.md). */

/** Each agent is checked with its provider and in three services: more would not fit into the time of a request. */
export const MAX_DOCUMENT_AGENTS = 50;
/** Schedules, triggers and webhooks of all agents together. */
export const MAX_DOCUMENT_PARTS = 1_000;
/** Prompts, templates and all: well below what a request on the bus may hold. */
export const MAX_DOCUMENT_BYTES = 2 * 2 ** 20;

const { name: _s, ...scheduleFields } = schedulePatchFields;
export const DocumentedSchedule = wire(scheduleFields).meta({
  id: 'DocumentedSchedule',
  description: 'A schedule in a document. A new one needs `cron_expression` and `message_template`.',
});
export type DocumentedSchedule = z.output<typeof DocumentedSchedule>;

const { name: _t, ...triggerFields } = triggerPatchFields;
export const DocumentedTrigger = wire(triggerFields).meta({
  id: 'DocumentedTrigger',
  description:
    'A trigger in a document. A new one needs `message_template`, and its secret is in the answer, this once.',
});
export type DocumentedTrigger = z.output<typeof DocumentedTrigger>;

export const DocumentedWebhook = wire({
  events: webhookChangeFields.events,
  description: webhookChangeFields.description,
  enabled: webhookChangeFields.enabled,
  secret: secretOrName(WebhookSecret)
    .optional()
    .describe(
      'What its deliveries are signed with: `whsec_` and 24 to 64 bytes in base64. A new one without it gets one, which is in the answer, this once. Another value than the present one replaces it, which signs too for 24 hours.',
    ),
}).meta({
  id: 'DocumentedWebhook',
  description: 'A webhook endpoint of one agent in a document. A new one needs `events`.',
});
export type DocumentedWebhook = z.output<typeof DocumentedWebhook>;

export const DocumentedGrant = wire(
  optional({
    envName: grantVaultFields.envName
      .removeDefault()
      .describe('The variable that holds the placeholder; null: put in by host. Another one makes another grant.'),
    ask: grantVaultFields.ask.removeDefault().describe('Whether a person is asked before a request carries it.'),
  }),
).meta({
  id: 'DocumentedGrant',
  description: 'That an agent may use a secret of the vault, in a document.',
});
export type DocumentedGrant = z.output<typeof DocumentedGrant>;

const named = <V extends z.ZodType>(value: V) => z.record(AutomationName, value);
const documentedGrants = z
  .record(SecretName, DocumentedGrant)
  .optional()
  .describe(
    'Secrets of the vault that it may use, by name: the vault has to hold them. With `prune` grants that are not named are taken away where this is given.',
  );
export const documentedParts = {
  schedules: named(DocumentedSchedule).optional().describe('Its schedules by name.'),
  triggers: named(DocumentedTrigger).optional().describe('Its triggers by name.'),
  webhooks: z
    .record(z.string().min(1).max(2_048), DocumentedWebhook)
    .optional()
    .describe('Webhook endpoints that get what happens to this agent alone, by URL.'),
};

const Text = z.string().min(1).max(200);
/** Of any platform: a token, or an object with `bot_token` and more; which, is known once the names are filled in. */
const bots = perPlatform('BotToken', (platform) =>
  z
    .union([secretOrName(Text), z.record(z.string().max(50), secretOrName(Text))])
    .describe(
      `Its own bot on ${platform}: ${'in' in PLATFORMS[platform].bot ? 'an object as in the agent, each value a text or a name' : 'a token'}. Null takes it away.`,
    ),
);

export const DocumentedConfiguration = wire(clearable(documentedConfigurationFields)).superRefine(hooksAreKnown).meta({
  id: 'DocumentedConfiguration',
  description:
    'As in the agent. Null clears a field; of `custom_env`, `mcp_servers` and objects of fixed fields what is not named stays, unless `prune`.',
});
export type DocumentedConfiguration = z.output<typeof DocumentedConfiguration>;

export const DocumentedAgent = wire({
  id: AgentId.optional().describe(
    'Which agent is meant, where several have the name; the agent with this id is renamed where it has another.',
  ),
  ifVersion: VersionNumber.optional().describe(
    'Refuses the document (409) when the agent’s configuration has another version by now; a dry run says which it has.',
  ),
  ...optional({
    description: agentFields.description,
    pvcSize: agentFields.pvcSize,
    systemPrompt: agentFields.systemPrompt,
    systemPromptType: agentFields.systemPromptType,
    sessionMode: agentFields.sessionMode,
    warmthWindowMs: agentFields.warmthWindowMs,
  }),
  providerKeys: z
    .partialRecord(Provider, secretOrName(z.string().min(1).max(10_000)).nullable())
    .optional()
    .describe(
      'The agent’s own keys by provider, or `${vault.NAME}` for a secret of the account’s vault. What is not named stays, null takes one away.',
    ),
  ...optional(clearable(bots)),
  configuration: DocumentedConfiguration.optional(),
  ...documentedParts,
  vault: documentedGrants,
}).meta({
  id: 'DocumentedAgent',
  description: 'What an agent is to be. What is not named stays; a new agent gets the default.',
});
export type DocumentedAgent = z.output<typeof DocumentedAgent>;

const partsOf = ({ schedules, triggers, webhooks, vault }: DocumentedAgent) =>
  [schedules, triggers, webhooks, vault].reduce((sum, parts) => sum + Object.keys(parts ?? {}).length, 0);

export const AgentDocument = wire({
  agents: z
    .record(AgentName, DocumentedAgent)
    .refine((agents) => Object.keys(agents).length <= MAX_DOCUMENT_AGENTS, `at most ${MAX_DOCUMENT_AGENTS} agents`)
    .refine(
      (agents) => Object.values(agents).reduce((sum, agent) => sum + partsOf(agent), 0) <= MAX_DOCUMENT_PARTS,
      `at most ${MAX_DOCUMENT_PARTS} schedules, triggers and webhooks`,
    )
    .describe(
      `Agents by name: at most ${MAX_DOCUMENT_AGENTS}, with ${MAX_DOCUMENT_PARTS} schedules, triggers and webhooks in all.`,
    ),
  prune: z
    .boolean()
    .default(false)
    .describe(
      'Whether the document is all there is of its agents: schedules, triggers, webhooks and settings that it does not name are then taken away. Agents, keys of providers and bots never are.',
    ),
}).meta({ id: 'AgentDocument', description: 'Agents as they are to be, by name.' });
export type AgentDocument = z.output<typeof AgentDocument>;
