import { type Approval, ASK_HUMAN } from '#lib/contracts';
import type { CardButton } from '../adapters/channel-adapter.js';
import { howToAnswer, questionLines, type WrittenAt } from './question-text.js';
import { visibleJson, visibleName } from './visible-text.js';

/** Characters of arguments that a card shows; of longer ones there is a file before it. */
const MAX_INLINE = 1_200;
const MAX_MESSAGE = 300;

export interface CardText {
  markdown: string;
  /** Arguments that are too long for the card, to be shown before it. */
  file: string | null;
}

/** By the end of its id: what people type. */
export const shortId = (approvalId: string) => approvalId.slice(-8);

export function buttonsOf(approvalId: string): CardButton[] {
  return [
    { approvalId, decision: 'allow_once', label: 'Allow once' },
    { approvalId, decision: 'allow_always', label: 'Always allow' },
    { approvalId, decision: 'deny', label: 'Deny' },
  ];
}

/** The question, with the tool and every argument. `mustBeFile`: what is written here was too long for one message. */
export function questionOf(approval: Approval, agentName: string, at: WrittenAt, mustBeFile = false): CardText {
  const id = shortId(approval.id);
  const shown = contentOf(approval);
  const isFile = mustBeFile || isLong(shown);
  if (approval.question) {
    const lines = [
      `**${asker(approval, agentName)} asks you:**`,
      ...block([isFile ? 'all in the file above' : shown]),
      `${howToAnswer(approval.question, id, at)} Until ${timeOf(approval.expiresAt)}.`,
    ];
    return { markdown: lines.join('\n'), file: isFile ? `${shown}\n` : null };
  }
  const lines = [
    `**${plain(agentName)} asks: ${isCredential(approval) ? 'may this request carry a secret' : 'may it call this tool'}?**`,
    ...block([...toolLine(approval), isFile ? 'all in the file above' : shown]),
    `Until ${timeOf(approval.expiresAt)}. Buttons, or \`${at.commandMark}approve ${id}\` and \`${at.commandMark}deny ${id} reason\`.`,
  ];
  return { markdown: lines.join('\n'), file: isFile ? `${shown}\n` : null };
}

/** What takes the question's place once it is over. */
export function resultOf(approval: Approval, agentName: string): CardText {
  const content = contentOf(approval);
  const shown = isLong(content) ? 'all in the file above' : content;
  const edited = approval.editedArguments === null ? [] : ['with other arguments than the agent’s'];
  const said = approval.message ? [`said: ${visibleJson(JSON.stringify(approval.message)).slice(0, MAX_MESSAGE)}`] : [];
  if (approval.question) {
    const given = approval.answer === null ? [] : [`answer: ${visibleJson(JSON.stringify(approval.answer))}`];
    const lines = [
      `**${asker(approval, agentName)} asked: ${outcomeOf(approval)}**`,
      ...block([shown, ...given.map((line) => line.slice(0, MAX_MESSAGE)), ...said]),
    ];
    return { markdown: lines.join('\n'), file: null };
  }
  const lines = [
    `**${plain(agentName)} asked about a ${isCredential(approval) ? 'request with a secret' : 'tool'}: ${outcomeOf(approval)}**`,
    ...block([...toolLine(approval), shown, ...edited, ...said]),
  ];
  return { markdown: lines.join('\n'), file: null };
}

export function outcomeOf({ status, decision, decidedBy, decidedAt }: Approval): string {
  const by = decidedBy ? ` by ${plain(`${decidedBy.type} ${decidedBy.id}`)}` : '';
  const at = decidedAt ? `, ${timeOf(decidedAt)}` : '';
  if (status === 'allowed') return `${decision === 'allow_always' ? 'always allowed' : 'allowed once'}${by}${at}`;
  if (status === 'answered') return `answered${by}${at}`;
  if (status === 'denied') return `denied${by}${at}`;
  return status === 'expired' ? `nobody decided in time${at}` : `cancelled${at}`;
}

/** Who wants to know: the agent, or a tool of an MCP server, which the first line names. */
const asker = ({ tool }: Approval, agentName: string) =>
  tool === ASK_HUMAN ? plain(agentName) : `A tool that ${plain(agentName)} called`;

const contentOf = ({ question, tool, arguments: args }: Approval) => {
  if (!question) return argumentLines(args ?? '{}');
  return [...(tool === ASK_HUMAN ? [] : [`tool: ${visibleJson(tool)}`]), ...questionLines(question)].join('\n');
};

const isLong = (content: string) => content.length > MAX_INLINE;

const isCredential = ({ kind }: Approval) => kind === 'credential';

/** Of a request its arguments are all that it is. */
const toolLine = (approval: Approval) => (isCredential(approval) ? [] : [`tool: ${visibleJson(approval.tool)}`]);

/** A line for each argument, so that none can pass itself off as another. */
function argumentLines(json: string): string {
  const value = JSON.parse(json) as unknown;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return visibleJson(json);
  const lines = Object.entries(value).map(
    ([name, inside]) => `${visibleJson(JSON.stringify(name))}: ${visibleJson(JSON.stringify(inside))}`,
  );
  return lines.length > 0 ? lines.join('\n') : 'no arguments';
}

const block = (lines: string[]) => ['```', ...lines, '```'];

/** Without what Markdown or a platform would make something of. */
const plain = (name: string) =>
  visibleName(name)
    .replace(/[^\p{L}\p{N}\p{So} .,:@_-]/gu, '')
    .slice(0, 100);

const timeOf = (at: Date) => `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
