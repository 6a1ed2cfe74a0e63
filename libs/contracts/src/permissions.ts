import { z } from 'zod';
import { Channel, CHANNELS } from './messages.js';
import { ChatPlatform } from './platforms.js';
import { request } from './request.js';
import { AgentId, Count, JsonObject, wire } from './wire.js';

/** What an agent's tools may do unasked, and who is asked about the rest (docs/guide/permissions.md). */

export const PERMISSION_ACTIONS = ['allow', 'ask', 'deny'] as const;
export const PermissionAction = z.enum(PERMISSION_ACTIONS).meta({
  id: 'PermissionAction',
  description:
    'What becomes of a call: `allow`: it runs · `ask`: it waits until a person decides · `deny`: it is not run, and the model is told why.',
});
export type PermissionAction = z.output<typeof PermissionAction>;

export const MAX_RULES = 100;
/** In characters, as every pattern has. */
export const MAX_PATTERN = 500;
export const MAX_ARGUMENTS = 20;
/** Of all in JSON: they are read with every turn, and kept with every version. */
const MAX_BYTES = 65_536;

/** The tools of every agent; agent-runtime makes just these (`builtInTools`). */
export const BUILT_IN_TOOLS = [
  ...['bash', 'read_file', 'write_file', 'edit_file', 'list_files', 'search_files', 'memory_read', 'memory_write'],
  ...['wait', 'read_messages', 'send_message', 'check_budget', 'schedule_create', 'schedule_list', 'schedule_delete'],
  'ask_human',
];

/** Before `server/tool` in the name of an MCP server's tool. */
export const MCP_PREFIX = 'mcp:';

const Pattern = z.string().max(MAX_PATTERN);
const Glob = Pattern.describe('`*` stands for any text, also none and also of several lines; all else for itself.');

export const ArgumentPattern = z
  .union([
    Glob,
    wire({ glob: Glob }).describe('The same, said in full.'),
    wire({
      regex: Pattern.describe(
        'A regular expression as RE2 takes it (no back references). It has to match the whole argument; `.` matches line ends, too.',
      ),
    }).describe('A regular expression.'),
  ])
  .meta({
    id: 'ArgumentPattern',
    description:
      'What the whole argument has to look like: a text is a glob, as is `glob`; `regex` a regular expression.',
    examples: ['git *'],
  });
export type ArgumentPattern = z.output<typeof ArgumentPattern>;

export const PermissionRule = wire({
  tool: z
    .string()
    .min(1)
    .max(MAX_PATTERN)
    .meta({
      description:
        'Which tools: a built-in one by its name, those of MCP servers as `mcp:server/tool`. `*` stands for any text.',
      examples: ['bash', 'mcp:github/*', '*'],
    }),
  arguments: z
    .record(z.string().min(1).max(200), ArgumentPattern)
    .refine((fields) => Object.keys(fields).length <= MAX_ARGUMENTS, `at most ${MAX_ARGUMENTS} arguments`)
    .optional()
    .describe(
      'Patterns by the name of an argument; inside of objects by names with dots between them. All of them have to match. An argument that is no text is looked at as JSON; one that is not there matches nothing.',
    ),
  exact: z
    .boolean()
    .optional()
    .describe('Only calls that have no other arguments than those named. False if not given.'),
  sources: z
    .array(Channel)
    .min(1)
    .max(CHANNELS.length)
    .optional()
    .describe('Only in turns that began in one of these ways. Any if not given.'),
  action: PermissionAction,
}).meta({ id: 'PermissionRule', description: 'What becomes of the calls that it matches.' });
export type PermissionRule = z.output<typeof PermissionRule>;

export const Approver = wire({
  platform: ChatPlatform,
  userId: z.string().min(1).max(200).describe('The platform’s id of a person who is linked with the agent.'),
}).meta({ id: 'Approver', description: 'A person who is linked with the agent in a chat.' });
export type Approver = z.output<typeof Approver>;

export const DEFAULT_EXPIRY_SECONDS = 86_400;

export const Permissions = wire({
  default: PermissionAction.optional().describe('What becomes of calls that no rule matches; `allow` if not given.'),
  rules: z
    .array(PermissionRule)
    .max(MAX_RULES)
    .optional()
    .describe(`Looked at in their order: the first that matches decides. At most ${MAX_RULES}.`),
  unattended: z
    .enum(['wait', 'deny', 'allow'])
    .optional()
    .describe(
      'What becomes of `ask` in turns of schedules and triggers, which nobody sits in front of: `wait` (default) for a person all the same, `deny`, or `allow`.',
    ),
  approvers: z
    .array(Approver)
    .min(1)
    .max(50)
    .optional()
    .describe(
      'Who may decide in chats: only these. Everybody who is linked with the agent if not given. The account’s own users and keys may in any case.',
    ),
  expiresAfterSeconds: z
    .number()
    .int()
    .min(60)
    .max(2_592_000)
    .optional()
    .describe(
      'How long a call waits for a decision before it is denied. 86,400 (a day) if not given, at most 30 days.',
    ),
})
  .refine((permissions) => new TextEncoder().encode(JSON.stringify(permissions)).length <= MAX_BYTES, {
    message: 'larger than 64 KiB',
  })
  .meta({ id: 'Permissions', description: 'What the agent’s tools may do unasked, and who is asked about the rest.' });
export type Permissions = z.output<typeof Permissions>;

const RuleIndex = Count.describe('The place of a rule in `rules`, from 0.');

/** The body of `POST /v1/agent/{id}/permissions/explain`. */
export const explainFields = {
  tool: z
    .string()
    .min(1)
    .max(600)
    .meta({
      description: 'The tool that is called: a built-in one by its name, one of an MCP server as `mcp:server/tool`.',
      examples: ['bash'],
    }),
  arguments: JsonObject.default({}).describe('Its arguments.'),
  source: Channel.default('api').describe('How the turn began that the call is made in.'),
  permissions: Permissions.optional().describe(
    'Permissions to try, in place of those that the agent has. Nothing is saved.',
  ),
};

export const Explanation = wire({
  action: PermissionAction,
  rule: RuleIndex.nullable().describe('The place in `rules`, from 0, of the rule that decides; null: `default` does.'),
  unattended: z.boolean().describe('The rule says `ask`, and `unattended` decides in its place.'),
  reason: z.string().describe('Why, in words.'),
  passedOver: z
    .array(
      wire({
        rule: RuleIndex,
        because: z
          .enum(['tool', 'source', 'argument'])
          .describe('What does not match: the tool, how the turn began, or an argument.'),
        argument: z.string().nullable().describe('Of `argument`: its name. Null otherwise.'),
      }),
    )
    .describe('The rules before it, and why they do not match.'),
}).meta({ id: 'PermissionExplanation', description: 'What would become of a call, and why.' });
export type Explanation = z.output<typeof Explanation>;

/** Says which rule answers for a call. Errors: NOT_FOUND, VALIDATION_ERROR (permissions that could not be saved). */
export const explainPermissions = request('lifecycle.permissions.explain', {
  input: wire({ agentId: AgentId, ...explainFields }),
  output: Explanation,
});
