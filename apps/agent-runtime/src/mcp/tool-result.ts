import { printable } from '#lib/bounded-streams';
import { withoutBase64 } from '../models/prompt/base64-text.js';
import { fileOf, type ResultFile } from './result-file.js';
import { type CallAnswer, resultPart } from './server-answers.js';

const MAX_CHARS = 30_000;
const MAX_FILES = 5;
const MAX_TYPE_CHARS = 100;
const MAX_NAME_CHARS = 500;

/** An MCP result as the model gets it. */
export interface ToolOutput {
  text: string;
  /** In base64; which of them a model is shown depends on what it takes. */
  files: ResultFile[];
}

/**
 * Text is capped with head and tail kept and without long base64; files are passed on while they are small, few and
 * what they say they are; the rest is named.
 */
export function toToolOutput(result: CallAnswer): ToolOutput {
  const files: ResultFile[] = [];
  const file = (data: string, mediaType: string | undefined, what: string): string => {
    const found = fileOf(data, mediaType);
    if (typeof found === 'string') return `[${what}${ofType(mediaType)} was left out: ${found}]`;
    if ('text' in found) return withoutBase64(found.text);
    if (files.length >= MAX_FILES) return `[${what}${ofType(found.mediaType)} was left out: too many]`;
    files.push(found);
    return '';
  };
  const texts = result.content.map((given) => {
    const part = resultPart(given);
    switch (part?.type) {
      case undefined:
        return notAPart(given);
      case 'text':
        return withoutBase64(part.text);
      case 'image':
        return file(part.data, part.mimeType, 'an image');
      case 'audio':
        return file(part.data, part.mimeType, 'audio');
      case 'resource': {
        const { uri, mimeType, text, blob } = part.resource;
        if (text === undefined && blob === undefined) return notAPart(given);
        const content = text === undefined ? file(blob ?? '', mimeType, 'a binary resource') : withoutBase64(text);
        return [`[resource${uri ? ` ${short(uri)}` : ''}]`, content].filter(Boolean).join('\n');
      }
      case 'resource_link':
        return `[resource ${[short(part.uri), short(part.name)].filter(Boolean).join(': ')}]`;
    }
  });
  if (texts.every((text) => !text.trim()) && files.length === 0 && result.structuredContent)
    texts.push(withoutBase64(asJson(result.structuredContent)));
  return { text: capText(texts.filter((text) => text.trim()).join('\n')), files };
}

/** One part that is wrong costs no other: the tool was run, and would be run again. */
function notAPart(given: unknown): string {
  const { type } = (given ?? {}) as { type?: unknown };
  return `[a part of the result${ofType(type)} was left out: it is not as the protocol has it]`;
}

const ofType = (type: unknown): string =>
  typeof type === 'string' && type !== '' ? ` of type ${printable(type.slice(0, MAX_TYPE_CHARS))}` : '';

/** Addresses hold files, too (`data:`). */
const short = (text = ''): string => withoutBase64(text).slice(0, MAX_NAME_CHARS);

function asJson(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    return '[the structured result was left out: it is nested too deeply]';
  }
}

export const isToolOutput = (output: unknown): output is ToolOutput =>
  typeof output === 'object' && output !== null && 'text' in output && 'files' in output;

/** For readers who see no files. */
export function textOfOutput({ text, files }: ToolOutput): string {
  return (
    [text, ...files.map(({ mediaType }) => `[a file of type ${mediaType}]`)].filter(Boolean).join('\n') || '[no output]'
  );
}

/** Keeps head and tail and says how much was cut. */
export function capText(text: string, max = MAX_CHARS): string {
  if (text.length <= max) return text;
  const half = Math.floor(max / 2);
  return `${text.slice(0, half)}\n[… ${text.length - 2 * half} characters were cut …]\n${text.slice(-half)}`;
}
