import type { Approval, ApprovalDecision } from '@roost-ai/sdk';
import { buildCommand, buildRouteMap, numberParser } from '@stricli/core';
import { agentArgument, agentNames, type Cli, type Common, common, findAgent } from '../cli.js';
import { CliError, EXIT } from '../failure.js';
import { inLine, revealed } from '../output/clean.js';
import { ago } from '../output/table.js';

const STATUSES = ['pending', 'allowed', 'answered', 'denied', 'expired', 'cancelled'] as const;

interface ListFlags extends Common {
  status: (typeof STATUSES)[number];
  agent?: string;
  limit: number;
}

interface DecideFlags extends Common {
  message?: string;
}

interface AllowFlags extends DecideFlags {
  always?: boolean;
  arguments?: string;
}

const idArgument = { brief: 'The approval’s id', placeholder: 'approval', parse: String } as const;
const message = {
  kind: 'parsed',
  parse: String,
  optional: true,
  brief: 'Said to the agent with the decision',
} as const;

const list = buildCommand({
  docs: { brief: 'Calls of tools and questions that wait for you, the newest first' },
  parameters: {
    flags: {
      ...common,
      status: { kind: 'enum', values: STATUSES, default: 'pending', brief: 'Those of this status' },
      agent: { ...agentArgument, kind: 'parsed', optional: true, brief: 'Only those of this agent' },
      limit: { kind: 'parsed', parse: numberParser, default: '50', brief: 'How many' },
    },
    aliases: { n: 'limit' },
  },
  async func(this: Cli, { status, agent, limit, ...flags }: ListFlags) {
    const roost = this.connect(flags);
    const of = agent === undefined ? {} : { agent_id: (await findAgent(roost, agent)).id };
    const found = await roost.approvals.list({ status, ...of }).toArray(Math.max(0, limit));
    if (flags.json) return this.out.json(found);
    const names = await agentNames(roost);
    const rows = found.map((one) => [
      one.id,
      names.get(one.agent_id) ?? one.agent_id,
      ago(one.created_at),
      one.status === 'pending' ? ago(one.expires_at) : one.status,
      one.tool,
      one.question
        ? inLine(revealed(one.question.question), 60)
        : one.arguments === null
          ? `(${one.argument_bytes} bytes)`
          : inLine(revealed(one.arguments), 60),
    ]);
    this.out.table(['ID', 'AGENT', 'ASKED', 'EXPIRES', 'TOOL', 'ARGUMENTS'], rows, 'Nothing waits for you.');
  },
});

const show = buildCommand({
  docs: { brief: 'What an agent wants to do, with every argument' },
  parameters: { flags: common, positional: { kind: 'tuple', parameters: [idArgument] } },
  async func(this: Cli, flags: Common, id: string) {
    const approval = await this.connect(flags).approvals.get(id);
    if (flags.json) return this.out.json(approval);
    this.out.line(cardOf(approval));
  },
});

const allow = buildCommand({
  docs: {
    brief: 'Let a call run',
    fullDescription:
      'It runs as it was shown, once. With --always a rule is put first in the agent’s permissions that allows this tool ' +
      'with exactly these arguments from now on; of a request with a secret its grant asks no more. With --arguments it runs with those, as a JSON object, instead.',
  },
  parameters: {
    flags: {
      ...common,
      message,
      always: { kind: 'boolean', optional: true, withNegated: false, brief: 'Now and from now on' },
      arguments: { kind: 'parsed', parse: String, optional: true, brief: 'A JSON object in place of its arguments' },
    },
    positional: { kind: 'tuple', parameters: [idArgument] },
    aliases: { m: 'message' },
  },
  async func(this: Cli, flags: AllowFlags, id: string) {
    const edited = flags.arguments === undefined ? {} : { arguments: objectOf(flags.arguments) };
    await decide(this, flags, id, { decision: flags.always ? 'allow_always' : 'allow_once', ...edited });
  },
});

const answer = buildCommand({
  docs: {
    brief: 'Answer a question of an agent',
    fullDescription:
      'The answer as text: of a question with choices the name or number of one, of a form one `field=value` for each field ' +
      'or all as JSON, of a page to open `done`. Who does not want to answer uses `deny`.',
  },
  parameters: {
    flags: common,
    positional: {
      kind: 'array',
      parameter: { brief: 'The approval’s id, then the answer', placeholder: 'approval answer', parse: String },
      minimum: 2,
    },
  },
  async func(this: Cli, flags: Common, id: string, ...words: string[]) {
    const text = words.every((word) => /^[\w.-]+=/.test(word)) ? words.join('\n') : words.join(' ');
    const answered = await this.connect(flags).approvals.answer(id, { text });
    if (flags.json) return this.out.json(answered);
    this.out.line(`answered: ${revealed(JSON.stringify(answered.answer))}`);
  },
});

const deny = buildCommand({
  docs: { brief: 'Let a call not run, or a question unanswered; the agent reads your message' },
  parameters: {
    flags: { ...common, message },
    positional: { kind: 'tuple', parameters: [idArgument] },
    aliases: { m: 'message' },
  },
  async func(this: Cli, flags: DecideFlags, id: string) {
    await decide(this, flags, id, { decision: 'deny' });
  },
});

export const approvals = buildRouteMap({
  docs: { brief: 'What agents may do only when you allow it, and what they ask' },
  routes: { list, show, allow, answer, deny },
  defaultCommand: 'list',
});

async function decide(cli: Cli, flags: DecideFlags, id: string, decision: ApprovalDecision): Promise<void> {
  const said = flags.message === undefined ? {} : { message: flags.message };
  const decided = await cli.connect(flags).approvals.decide(id, { ...decision, ...said });
  if (flags.json) return cli.out.json(decided);
  cli.out.line(`${inLine(decided.tool, 60)}: ${decided.status}.`);
}

/** A call as a person has to see it: every argument, and no character that shows something else than it is. */
export function cardOf(approval: Approval): string {
  const { tool, status, decided_by: by, message: said, edited_arguments: edited, question, answer: given } = approval;
  const decided = by ? ` by ${by.type}:${by.id}` : '';
  return [
    `${inLine(revealed(tool), 200)}  ${status}${inLine(decided)}`,
    question ? questionText(question) : argumentText(approval),
    ...(edited === null ? [] : [`changed to ${argumentsOf(edited)}`]),
    ...(given === null ? [] : [`answer: ${revealed(JSON.stringify(given))}`]),
    ...(said === null ? [] : [`said: ${inLine(said, 500)}`]),
    ...(status === 'pending' ? [`expires ${ago(approval.expires_at)}; ${approval.id}`] : []),
  ].join('\n');
}

const argumentText = ({ arguments: text, argument_bytes: bytes }: Approval) =>
  text === null ? `(${bytes} bytes of arguments)` : argumentsOf(text);

/** A question, with a line for each choice or field. All of it was written by a model or a server. */
function questionText({ question, choices, schema, url }: NonNullable<Approval['question']>): string {
  const fields = Object.entries(schema?.properties ?? {}).map(
    ([name, field]) => `  ${name}${schema?.required?.includes(name) ? '' : ' (optional)'}: ${JSON.stringify(field)}`,
  );
  return revealed(
    [
      question,
      ...(choices ?? []).map((choice, index) => `  ${index + 1}. ${JSON.stringify(choice)}`),
      ...fields,
      ...(url ? [`  open: ${url}`] : []),
    ].join('\n'),
  );
}

function argumentsOf(text: string): string {
  return revealed(JSON.stringify(JSON.parse(text), null, 2));
}

function objectOf(text: string): NonNullable<ApprovalDecision['arguments']> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as NonNullable<ApprovalDecision['arguments']>;
  } catch {
    // Said below.
  }
  throw new CliError('--arguments must be a JSON object, e.g. --arguments \'{"command":"ls"}\'', EXIT.usage);
}
