import { z } from 'zod';
import { ActorType } from './audit.js';
import { Channel } from './messages.js';
import { PermissionRule } from './permissions.js';
import { answerFields, Question } from './questions.js';
import { request } from './request.js';
import { AgentId, Count, JsonObject, Timestamp, wire } from './wire.js';

/** Approvals: calls of tools that a person is asked about before they run, and questions (docs/guide/approvals.md). */

export const APPROVAL_STATUSES = ['pending', 'allowed', 'answered', 'denied', 'expired', 'cancelled'] as const;
export const ApprovalStatus = z
  .enum(APPROVAL_STATUSES)
  .describe(
    '`pending`: waits for a decision · `allowed` · `answered`: of a question · `denied`: it may not run, or the question is not answered · `expired`: nobody decided in time, which counts as denied · ' +
      '`cancelled`: its run was cancelled or interrupted, its session reset, its agent deleted, or its grant of the vault revoked or allowed always.',
  );
export type ApprovalStatus = z.output<typeof ApprovalStatus>;

/** Longer arguments are no use to a person: the call is refused to the model. */
export const MAX_APPROVAL_BYTES = 1_000_000;
/** Of all calls of one step: they travel in one bus message, as JSON within JSON. */
export const MAX_SUSPENDED_BYTES = 4_000_000;
/** A person cannot tell more of them apart. */
export const MAX_SUSPENDED_CALLS = 20;
/** Lists and events hold no longer arguments: those are read one by one. */
export const MAX_LISTED_BYTES = 16_384;
/** Of arguments that a person puts in: those of all calls of a run travel with the claim of its next attempt. */
export const MAX_EDITED_BYTES = 200_000;

export const ApprovalId = z.uuid().describe('The approval’s id.');
export const ApprovalKind = z
  .enum(['tool', 'question', 'credential'])
  .describe(
    '`tool`: may this call run? · `question`: the agent asks for an answer · `credential`: may this request of the agent’s sandbox carry a secret of the vault?',
  );
const Hash = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .describe('SHA-256 of the tool’s name and its arguments as canonical JSON: what is compared before the call runs.');
const Tool = z
  .string()
  .min(1)
  .max(400)
  .describe('The tool: the name of a built-in one, or `mcp:server/tool`; of the kind `credential` `vault:secret`.');
const Arguments = z.string().max(MAX_APPROVAL_BYTES).describe('The arguments as JSON text, in alphabetical order.');
export const Decider = wire({
  type: ActorType.describe('As in the audit.'),
  id: z.string().describe('Of the user or key; `platform:id` of a person on a chat platform.'),
}).meta({ id: 'Decider', description: 'Who decided.' });

export const APPROVAL_DECISIONS = ['allow_once', 'allow_always', 'deny'] as const;
export const ApprovalDecision = z
  .enum(APPROVAL_DECISIONS)
  .describe(
    '`allow_once`: this call runs · `allow_always`: it runs, and a rule that allows it is put first in the agent’s ' +
      '`configuration.permissions`; of the kind `credential` the grant asks no more · `deny`: it does not run, and the agent reads `message`.',
  );

const fields = {
  id: ApprovalId,
  agentId: AgentId,
  runId: z.uuid().nullable().describe('The run that waits for it; null: none does, of the kind `credential`.'),
  turnId: z
    .uuid()
    .nullable()
    .describe('The attempt of the run that asked; of the kind `credential` the one that ran then, null when none did.'),
  conversationId: z
    .string()
    .nullable()
    .describe('The conversation that waits; of the kind `credential` that of the attempt, null when there is none.'),
  source: Channel.describe('How the newest message of the run came in.'),
  kind: ApprovalKind,
  tool: Tool,
  toolCallId: z
    .string()
    .nullable()
    .describe('Id of the call, as in the run’s steps and in `tool.call` events; null of the kind `credential`.'),
  arguments: Arguments.nullable().describe(
    'The arguments as JSON text, its fields in alphabetical order; of the kind `credential` the request: `host`, `method`, `path` with its query, `secret`. Null in lists and events when longer than 16 KiB: read the approval itself.',
  ),
  grantId: z
    .uuid()
    .nullable()
    .default(null)
    .describe('Of the kind `credential`: the grant of the agent that asks; null otherwise.'),
  argumentBytes: Count.describe('Length of the arguments in bytes.'),
  hash: Hash,
  rule: Count.nullable().describe('Which rule of the agent’s permissions asks, from 0; null: their default.'),
  approvers: z
    .array(z.string())
    .nullable()
    .describe('Who may decide on chat platforms, as `platform:id`; null: everybody who is linked with the agent.'),
  status: ApprovalStatus,
  createdAt: Timestamp.describe('When it was asked.'),
  expiresAt: Timestamp.describe('When it counts as denied if nobody has decided.'),
  decidedAt: Timestamp.nullable().describe('When it was decided, expired or was cancelled.'),
  decidedBy: Decider.nullable().describe('Who decided; null while nobody has.'),
  decision: ApprovalDecision.nullable().describe('What was decided; null while nothing is.'),
  message: z.string().nullable().describe('What the person said to the agent with it.'),
  editedArguments: Arguments.nullable().describe(
    'The arguments that the person put in place of the agent’s, as JSON text; null when there are none, and in lists and events when longer than 16 KiB.',
  ),
  question: Question.nullable().default(null).describe('What is asked, of the kind `question`; null: may a call run?'),
  answer: z.json().default(null).describe('The answer, of the kind `question`; null while there is none.'),
  startedAt: Timestamp.nullable().describe('When the call began to run; null while it has not.'),
  shown: z
    .array(wire({ where: z.string().describe('Where: a chat platform and its place.'), at: Timestamp }))
    .describe('Where it was shown, apart from the API.'),
};
export const Approval = wire(fields).meta({
  id: 'Approval',
  description: 'A call of a tool, or a question, that waits for a person, or has got a decision or an answer.',
});
export type Approval = z.output<typeof Approval>;

export const approvalListQuery = {
  status: ApprovalStatus.optional().describe('Only approvals of this status.'),
  agentId: AgentId.optional().describe('Only approvals of this agent.'),
  before: ApprovalId.optional().describe('Only approvals older than this one: the last of the page before.'),
  limit: z.coerce.number<number | string>().int().min(1).max(100).default(50).describe('Most approvals of a page.'),
};

/** Newest first. Errors: VALIDATION_ERROR (unknown cursor). */
export const listApprovals = request('messaging.approval.list', {
  input: wire(approvalListQuery),
  output: wire({
    approvals: z.array(Approval).describe('Newest first.'),
    hasMore: z.boolean().describe('Older ones follow: ask with `before`, the id of the last.'),
  }),
});

/** With its whole arguments. Errors: NOT_FOUND. */
export const getApproval = request('messaging.approval.get', {
  input: wire({ approvalId: ApprovalId }),
  output: Approval,
});

const decisionFields = {
  decision: ApprovalDecision,
  message: z
    .string()
    .max(2_000)
    .optional()
    .describe('Said to the agent with the decision, such as why not, or what to do instead.'),
  arguments: JsonObject.optional().describe(
    'Runs the call with these arguments in place of the agent’s: all of them. Recorded as an edit, and the agent is told.',
  ),
  rule: PermissionRule.optional().describe(
    'Of `allow_always`: the rule that is put first, in the form of `configuration.permissions.rules`; its action is `allow`. Without it: this tool with exactly these arguments.',
  ),
};
/** The body of `POST /v1/approvals/{id}/decide`. */
export const NewDecision = wire(decisionFields).meta({ id: 'NewDecision', description: 'A decision.' });

/**
 * The first decision counts. Who decides is the caller's actor. Errors: NOT_FOUND, CONFLICT with who has decided and when,
 * ACCESS_DENIED (a person who is none of its approvers), VALIDATION_ERROR.
 */
export const decideApproval = request('messaging.approval.decide', {
  input: wire({ approvalId: ApprovalId, ...decisionFields }),
  output: Approval,
});

/**
 * Answers a question; the first answer counts. Who answers is the caller's actor. Errors: as of a decision; VALIDATION_ERROR
 * for an answer that is not what was asked for, and for what is no question.
 */
export const answerApproval = request('messaging.approval.answer', {
  input: wire({ approvalId: ApprovalId, ...answerFields }),
  output: Approval,
});

/** Notes where an approval is to be seen; the same place again changes nothing. Errors: NOT_FOUND. */
export const approvalShown = request('messaging.approval.shown', {
  input: wire({ approvalId: ApprovalId, where: z.string().min(1).max(300) }),
  output: Approval,
});

/**
 * Asked by a worker right before an allowed call runs: it may when no other attempt has begun it, and when what is about
 * to run is what was shown. Again by the same attempt changes nothing. Errors: CONFLICT with the reason
 * (`already_started`, `hash_differs`, `not_allowed`, `lease_lost`).
 */
export const startApproval = request('messaging.approval.start', {
  input: wire({ approvalId: ApprovalId, turnId: z.uuid(), fencingToken: Count, hash: Hash }),
  output: wire({ accepted: z.boolean() }),
});

/** Open ones of the kind `credential` of one agent: more are not asked about. */
export const MAX_OPEN_CREDENTIALS = 10;
/** So long a decision about a request counts: an allowed one may be sent, a denied one is denied again unasked. */
export const CREDENTIAL_DECISION_SECONDS = 600;
/** Longer ones, with their query, are no use to a person. */
export const MAX_CREDENTIAL_PATH = 4_000;

/** A request of an agent's sandbox that would carry a secret whose grant asks. */
const credentialRequest = {
  secret: z.string().max(100),
  host: z.string().max(300),
  method: z.string().max(50),
  path: z.string().max(MAX_CREDENTIAL_PATH),
};

/**
 * May this one request carry the secret? `allowed` is said once for a decision `allow_once`, and only for the request that
 * was shown. Where nobody has decided a person is asked; asking again asks nobody anew. Of the calling account.
 * `too_many`: MAX_OPEN_CREDENTIALS wait already.
 */
export const askForCredential = request('messaging.approval.credential', {
  input: wire({
    agentId: AgentId,
    grantId: z.uuid(),
    ...credentialRequest,
    approvers: z.array(z.string().max(300)).max(50).nullable(),
    expiresAfterSeconds: z.number().int().min(1),
  }),
  output: wire({
    status: z.enum(['allowed', 'pending', 'denied', 'too_many']),
    approvalId: ApprovalId.nullable(),
    message: z.string().nullable(),
  }),
});

/** Cancels what an agent's conversations wait for, with their runs: of one conversation, or of all. */
export const cancelApprovals = request('messaging.approval.cancel', {
  input: wire({ agentId: AgentId, conversationId: z.string().max(300).optional() }),
  output: wire({ cancelled: Count }),
});

/** A call that a turn is suspended for. */
export const SuspendedCall = wire({
  approvalId: ApprovalId,
  kind: ApprovalKind.default('tool'),
  toolCallId: z.string().min(1).max(200),
  tool: Tool,
  arguments: Arguments,
  hash: Hash,
  rule: Count.nullable(),
});
export type SuspendedCall = z.output<typeof SuspendedCall>;

/** What was decided about a call, for the worker that goes on with its run. */
export const DecidedCall = wire({
  approvalId: ApprovalId,
  toolCallId: z.string(),
  status: ApprovalStatus,
  /** Of what may run. */
  hash: Hash,
  message: z.string().nullable(),
  decidedBy: Decider.nullable(),
  /** In place of the call's own; null when they were not edited. */
  editedArguments: Arguments.nullable(),
  /** Of a question, as JSON text; null when there is none. */
  answer: z.string().nullable().default(null),
});
export type DecidedCall = z.output<typeof DecidedCall>;

/** What a run's steps say of an approval. */
export const StepApproval = wire({
  id: ApprovalId,
  status: ApprovalStatus,
  decidedBy: fields.decidedBy,
  decidedAt: fields.decidedAt,
}).meta({ id: 'StepApproval', description: 'The approval of a tool call.' });
