import type { Approval, Question, QuestionField } from '#lib/contracts';
import { optionsOf } from '#lib/questions';
import type { CardButton, ChannelAdapter } from '../adapters/channel-adapter.js';
import { visibleJson } from './visible-text.js';

/** Slack takes 75 characters, the fewest. */
const MAX_LABEL = 70;
const REFUSE = 'Do not answer';
const OPENED = 'I have opened it';

/** What a card needs to know of a question to be shown with its buttons. */
export const labelsOf = ({ choices, url }: Question): string[] =>
  url ? [OPENED] : (choices ?? []).map((choice, index) => shortened(`${index + 1}. ${visibleJson(choice)}`));

export function answerButtons(approvalId: string, labels: string[]): CardButton[] {
  const answers = labels.map((label, index) => ({ approvalId, decision: `answer_${index}` as const, label }));
  return [...answers, { approvalId, decision: 'deny', label: REFUSE }];
}

/** The answer that the button with this number stands for, as somebody would type it. */
export function pressedAnswer({ question }: Approval, index: number): string | undefined {
  return question?.url ? 'done' : question?.choices?.[index];
}

/** Line by line, with nothing hidden: a model or an MCP server wrote it. */
export function questionLines({ question, choices, schema, url }: Question): string[] {
  return [
    ...withoutGaps(question),
    ...(choices ?? []).map((choice, index) => `${index + 1}. ${visibleJson(choice)}`),
    ...Object.entries(schema?.properties ?? {}).map(
      ([name, field]) => `${name}: ${fieldText(field)}${schema?.required?.includes(name) ? '' : ' (optional)'}`,
    ),
    ...(url ? [`page: ${visibleJson(addressOf(url))}`] : []),
  ];
}

/** How people write to the bot where a card is shown. */
export interface WrittenAt {
  commandMark: ChannelAdapter['commandMark'];
  /** What is meant for the bot there: all that is written, what replies to it, or what mentions it. */
  takes: 'all' | 'replies' | 'mentions';
}

const WRITE: Record<WrittenAt['takes'], string> = {
  all: 'Just write here',
  replies: 'Reply to this message with',
  mentions: 'Mention me here with',
};

/** How a question is answered where no button does. */
export function howToAnswer({ choices, schema, url }: Question, id: string, { commandMark, takes }: WrittenAt): string {
  const command = `${commandMark}answer ${id}`;
  if (url) return `[Open the page](${addressOf(url)}), then press the button or send \`${command} done\`.`;
  if (choices) return `Press one, or send its number: \`${command} 1\`.`;
  const names = Object.keys(schema?.properties ?? {});
  if (names.length > 1)
    return `${WRITE[takes]} the answers, one a line: ${names.map((name) => `\`${name}: …\``).join(', ')}. Or send them after \`${command}\`.`;
  return `${WRITE[takes]} the answer, or send \`${command} your answer\`.`;
}

/** Letters of other scripts, and what Markdown would end the link at, are written out. */
function addressOf(url: string): string {
  try {
    return new URL(url).href.replace(/[()\s]/g, (char) => `%${char.charCodeAt(0).toString(16)}`);
  } catch {
    return '';
  }
}

function fieldText(field: QuestionField): string {
  const options = optionsOf(field)?.map(({ value, title }) => (title === value ? value : `${value} (${title})`));
  const { type, title, description } = field;
  const range = type === 'number' || type === 'integer' ? rangeOf(field.minimum, field.maximum) : '';
  const words = [title, description, options && `${type === 'array' ? 'some' : 'one'} of ${options.join(', ')}`];
  return visibleJson([`${type}${range}`, ...words.filter(Boolean)].join('; '));
}

const rangeOf = (from: number | undefined, to: number | undefined) =>
  `${from === undefined ? '' : ` from ${from}`}${to === undefined ? '' : ` to ${to}`}`;

/** Many empty lines push out of sight what follows them. */
const withoutGaps = (text: string): string[] =>
  text
    .replace(/\n(?:[^\S\n]*\n){2,}/g, '\n\n')
    .split('\n')
    .map(visibleJson);

const shortened = (text: string) => (text.length > MAX_LABEL ? `${text.slice(0, MAX_LABEL - 1)}…` : text);
