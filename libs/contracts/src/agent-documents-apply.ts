import { z } from 'zod';
import { AgentDocument, documentedParts } from './agent-documents.js';
import { VersionNumber } from './agents.js';
import { request } from './request.js';
import { AgentId, wire } from './wire.js';

export const PlannedChange = wire({
  field: z.string().meta({
    description: 'Name of the field as in the document, with what is inside it after dots.',
    examples: ['configuration.model'],
  }),
  change: z.enum(['added', 'removed', 'changed']).describe('What becomes of it.'),
  from: z.json().describe('What it is now; null when it is not there. Of a secret: null.'),
  to: z.json().describe('What it is to be; null when it is taken away. Of a secret: null.'),
  isSecret: z.boolean().describe('Whether it is a secret, whose values are not shown.'),
}).meta({ id: 'PlannedChange', description: 'How one field differs from what it is to be.' });
export type PlannedChange = z.output<typeof PlannedChange>;

const objectFields = {
  kind: z.enum(['agent', 'schedule', 'trigger', 'webhook', 'grant']).describe('What it is.'),
  name: z.string().describe('Its name; of a webhook its URL, of a grant that of the secret.'),
  id: z.uuid().nullable().describe('Its id; null of what is not made yet.'),
  action: z
    .enum(['create', 'update', 'delete', 'none'])
    .describe('What makes it as the document says. `none`: it is so already.'),
  changes: z.array(PlannedChange).describe('The fields that differ, in alphabetical order.'),
  secret: z
    .string()
    .nullable()
    .describe('Of a trigger or webhook that was just made: what its webhooks are signed with. Shown this once.'),
};

/** One schedule, trigger or webhook, as the service that has it says. */
export const PlannedPart = wire(objectFields);
export type PlannedPart = z.output<typeof PlannedPart>;

export const AppliedObject = wire({
  agent: z.string().describe('Name of the agent that it is, or that it belongs to.'),
  ...objectFields,
  version: VersionNumber.nullable().describe('Of an agent, the version of its configuration; null of all else.'),
  status: z
    .enum(['planned', 'done', 'failed', 'skipped'])
    .describe(
      '`planned`: in a dry run · `done`: it is as the document says · `failed`: it is not, `error` says why · ' +
        '`skipped`: not tried, because its agent failed.',
    ),
  error: wire({
    code: z.string().describe('As in an error response.'),
    message: z.string().describe('What went wrong, and what to do.'),
  })
    .nullable()
    .describe('Why it failed; null otherwise.'),
}).meta({ id: 'AppliedObject', description: 'One object of a document, and what became or becomes of it.' });
export type AppliedObject = z.output<typeof AppliedObject>;

export const AppliedDocument = wire({
  dryRun: z.boolean().describe('Whether nothing was changed.'),
  differs: z.boolean().describe('Whether anything was not as the document says.'),
  isComplete: z
    .boolean()
    .describe(
      'Whether nothing failed. What did is reported beside what was done; the same document applied again goes on.',
    ),
  objects: z.array(AppliedObject).describe('Each agent, followed by its schedules, triggers, webhooks and grants.'),
}).meta({ id: 'AppliedDocument', description: 'What applying a document did, or would do.' });
export type AppliedDocument = z.output<typeof AppliedDocument>;

/** One agent as a document, secrets by name. Errors: NOT_FOUND, CONFLICT (two of its schedules have one name, …). */
export const exportAgent = request('lifecycle.agent.export', {
  input: wire({ agentId: AgentId }),
  output: AgentDocument,
  timeoutMs: 30_000,
});

/**
 * Makes agents as a document says. All of it is checked before anything is changed; then each object is changed in a
 * transaction of its own, in the document's order, and what fails is reported beside what was done. Idempotent.
 * Errors, with nothing changed: VALIDATION_ERROR, CONFLICT (names that several have, another version than `ifVersion`),
 * QUOTA_EXCEEDED, SERVICE_UNAVAILABLE.
 */
export const applyAgents = request('lifecycle.agent.apply', {
  input: wire({ document: AgentDocument, dryRun: z.boolean() }),
  output: AppliedDocument,
  timeoutMs: 120_000,
});

const part = {
  /** Null in the dry run of an agent that is not made yet. */
  agentId: AgentId.nullable(),
  dryRun: z.boolean(),
  prune: z.boolean(),
  /** What a dry run said that there is: where there is something else by now, and something would be changed, CONFLICT. */
  ifState: z.string().max(100).optional(),
};
/** `state`: what there was, as a short text that is another one after any change. */
const compared = wire({ parts: z.array(PlannedPart), state: z.string().max(100).optional() });
/** By agent-lifecycle, of one agent: all or nothing. Errors: VALIDATION_ERROR, CONFLICT (one name, several ids; `ifState`), QUOTA_EXCEEDED, NOT_FOUND. */
export const applyAutomation = request('scheduler.agent.apply', {
  input: wire({ ...part, schedules: documentedParts.schedules, triggers: documentedParts.triggers }),
  output: compared,
  timeoutMs: 30_000,
});
/** The same of the webhook endpoints that get what happens to this agent alone. */
export const applyWebhooks = request('webhooks.agent.apply', {
  input: wire({ ...part, webhooks: documentedParts.webhooks }),
  output: compared,
  timeoutMs: 30_000,
});
