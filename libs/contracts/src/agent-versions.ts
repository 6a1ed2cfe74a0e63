import { z } from 'zod';
import { AgentConfiguration, ConfigurationPatch } from './agent-configuration.js';
import { Agent, agentFields, AgentName, VersionNote, VersionNumber } from './agents.js';
import { ActorType } from './audit.js';
import { request } from './request.js';
import { optional } from './shapes.js';
import { AgentId, Count, Timestamp, wire } from './wire.js';

/** Versions of an agent's configuration: every change makes one, none is ever changed (docs/guide/versions.md). */

/** What a version holds: all that is configured of an agent, secrets as `***`. */
export const AgentSettings = wire({
  name: AgentName,
  description: agentFields.description,
  pvcSize: z.string().describe('Size of its volume, as a Kubernetes quantity.'),
  sessionMode: agentFields.sessionMode,
  warmthWindowMs: z
    .number()
    .nullable()
    .describe('How long its workspace stays awake without use, in milliseconds; null: always.'),
  systemPrompt: z.string().nullable().describe('Its instructions: what it is and does.'),
  systemPromptType: agentFields.systemPromptType,
  configuration: AgentConfiguration,
}).meta({ id: 'AgentSettings', description: 'All that is configured of an agent; secrets are `***`.' });
export type AgentSettings = z.output<typeof AgentSettings>;

const Field = z.string().meta({
  description:
    'Name of a field as in the agent, with what is inside it after dots: `system_prompt`, `configuration.custom_env.TOKEN`.',
  examples: ['configuration.model'],
});

const versionFields = {
  version: VersionNumber.describe('Its number: 1 is what the agent was made with.'),
  createdAt: Timestamp.describe('When the change was made.'),
  createdBy: wire({
    type: ActorType.describe('As in the audit.'),
    id: z.string().describe('Of the user, key or agent.'),
  })
    .nullable()
    .describe('Who made it; null for what was found when versions were introduced.'),
  note: z.string().nullable().describe('What was said about it.'),
  changed: z.array(Field).describe('Fields that differ from the version before, at most 100 of them.'),
  isCurrent: z.boolean().describe('Whether it is what the agent has now.'),
  isDraft: z
    .boolean()
    .default(false)
    .describe('Whether it was made to be tried: messages may ask for it, and a roll back to it publishes it.'),
};
export const AgentVersion = wire(versionFields).meta({
  id: 'AgentVersion',
  description: 'A version of an agent’s configuration.',
});

export const SecretReference = wire({
  field: Field,
  setIn: VersionNumber.describe(
    'The version in which the value was set: the same number in two versions is the same value.',
  ),
}).meta({ id: 'SecretReference', description: 'A secret that a version uses: never its value.' });

export const AgentVersionDetail = wire({
  ...versionFields,
  settings: AgentSettings,
  secrets: z.array(SecretReference).describe('The secrets that it uses.'),
}).meta({ id: 'AgentVersionDetail', description: 'A version with all that it holds.' });

export const FieldChange = wire({
  field: Field,
  change: z.enum(['added', 'removed', 'changed']).describe('What became of it between the two.'),
  from: z.json().describe('In the earlier of the two named; null when it has none. Of a secret: null.'),
  to: z.json().describe('In the other; null when it has none. Of a secret: null.'),
  secret: wire({
    from: VersionNumber.nullable().describe('The version in which the earlier value was set; null: there is none.'),
    to: VersionNumber.nullable().describe('The version in which the later value was set; null: there is none.'),
  })
    .nullable()
    .describe('Of a secret, in place of its values; null for all else.'),
}).meta({ id: 'FieldChange', description: 'How one field differs between two versions.' });
export type FieldChange = z.output<typeof FieldChange>;

export const VersionDiff = wire({
  from: VersionNumber.describe('The version compared with.'),
  to: VersionNumber.describe('The version compared.'),
  changes: z.array(FieldChange).describe('The fields that differ, in alphabetical order.'),
});

export const NotRestored = wire({
  field: Field,
  reason: z
    .enum(['secret_changed', 'secret_removed', 'cannot_shrink'])
    .describe(
      '`secret_changed`: the value was replaced since, and the present one stays · `secret_removed`: the value is gone, ' +
        'set it anew · `cannot_shrink`: a volume only grows.',
    ),
}).meta({ id: 'NotRestored', description: 'What a roll back could not bring back.' });
export type NotRestored = z.output<typeof NotRestored>;

export const RolledBack = wire({
  version: VersionNumber.describe('The new version; the present one where nothing differed.'),
  notRestored: z.array(NotRestored).describe('What could not be brought back, and why.'),
  agent: Agent,
});

const byAgent = { agentId: AgentId };
export const versionListQuery = {
  before: z.coerce
    .number<number | string>()
    .int()
    .min(1)
    .optional()
    .describe('Only versions before this one: the last of the page before.'),
  limit: z.coerce.number<number | string>().int().min(1).max(100).default(20).describe('How many at most.'),
};

const { description, systemPrompt, systemPromptType, sessionMode, warmthWindowMs } = agentFields;
const draftFields = {
  ...optional({ description, systemPrompt, systemPromptType, sessionMode, warmthWindowMs }),
  configuration: ConfigurationPatch.optional(),
  note: VersionNote.optional(),
};
/** The body of `POST /v1/agent/{id}/versions`. */
export const DraftVersion = wire(draftFields).meta({
  id: 'DraftVersion',
  description: 'What is to be tried, as a change of what the agent has now. It can hold no new value of a secret.',
});
export type DraftVersion = z.output<typeof DraftVersion>;

/**
 * Makes a version without giving it to the agent. Errors: NOT_FOUND, VALIDATION_ERROR, also of a secret that the agent
 * does not have with this value.
 */
export const draftVersion = request('lifecycle.version.draft', {
  input: wire({ ...byAgent, ...draftFields }),
  output: AgentVersion,
});
/** Newest first. Errors: NOT_FOUND. */
export const listVersions = request('lifecycle.version.list', {
  input: wire({ ...byAgent, ...versionListQuery }),
  output: wire({
    versions: z.array(AgentVersion).describe('Newest first.'),
    hasMore: z.boolean().describe('Older ones follow: ask with `before`, the number of the last.'),
  }),
});
/** Errors: NOT_FOUND, also of a version that is no longer kept. */
export const getVersion = request('lifecycle.version.get', {
  input: wire({ ...byAgent, version: Count }),
  output: AgentVersionDetail,
});
/** Of the present version with the one before it where none is named. Errors: NOT_FOUND. */
export const diffVersions = request('lifecycle.version.diff', {
  input: wire({ ...byAgent, from: Count.optional(), to: Count.optional() }),
  output: VersionDiff,
});
/**
 * Gives the agent the settings of an earlier version, as a new one. Errors: NOT_FOUND, VALIDATION_ERROR where they are
 * no longer allowed, CONFLICT when it has another version than `ifVersion`.
 */
export const rollBack = request('lifecycle.version.roll-back', {
  input: wire({
    ...byAgent,
    version: VersionNumber,
    note: VersionNote.optional(),
    ifVersion: VersionNumber.optional(),
  }),
  output: RolledBack,
  timeoutMs: 60_000,
});
