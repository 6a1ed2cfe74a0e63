import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { withoutBase64 } from '../models/prompt/base64-text.js';
import { fileOf, type ResultFile } from './result-file.js';

const MAX_CHARS = 30_000;
const MAX_FILES = 5;

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
export function toToolOutput(result: CallToolResult): ToolOutput {
  const files: ResultFile[] = [];
  const file = (data: string, mediaType: string | undefined, what: string): string => {
    const found = fileOf(data, mediaType);
    if (typeof found === 'string') return `[${what}${mediaType ? ` of type ${mediaType}` : ''} was left out: ${found}]`;
    if ('text' in found) return found.text;
    if (files.length >= MAX_FILES) return `[${what} of type ${found.mediaType} was left out: too many]`;
    files.push(found);
    return '';
  };
  const texts = result.content.map((part) => {
    switch (part.type) {
      case 'text':
        return withoutBase64(part.text);
      case 'image':
        return file(part.data, part.mimeType, 'an image');
      case 'audio':
        return file(part.data, part.mimeType, 'audio');
      case 'resource': {
        const { uri, mimeType } = part.resource;
        const content =
          'text' in part.resource
            ? withoutBase64(part.resource.text)
            : file(part.resource.blob, mimeType, 'a binary resource');
        return `[resource ${uri.slice(0, 500)}]\n${content}`;
      }
      case 'resource_link':
        return `[resource ${part.uri.slice(0, 500)}: ${part.name.slice(0, 500)}]`;
    }
  });
  if (texts.every((text) => !text.trim()) && files.length === 0 && result.structuredContent)
    texts.push(withoutBase64(JSON.stringify(result.structuredContent)));
  return { text: capText(texts.filter((text) => text.trim()).join('\n')), files };
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
