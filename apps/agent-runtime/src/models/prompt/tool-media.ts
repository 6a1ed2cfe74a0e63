import type { FilePart, ModelMessage, ToolResultPart } from 'ai';
import type { ModelWire } from '../model-registry.js';
import { withoutBase64 } from './base64-text.js';

/** Files of one prompt, in characters of base64: services take 20 to 32 MB for a whole request. */
const MAX_CHARS = 12_000_000;
const MAX_FILES = 20;

const IMAGES = ['image/png', 'image/jpeg', 'image/webp'];

/** Which files each wire takes, and whether within a tool's result or only in a message of the user's. */
const TAKES: Record<ModelWire, { target: 'result' | 'message'; types: string[] }> = {
  anthropic: { target: 'result', types: [...IMAGES, 'image/gif', 'application/pdf'] },
  'openai-responses': { target: 'result', types: [...IMAGES, 'image/gif'] },
  'openai-chat': { target: 'message', types: [...IMAGES, 'image/gif'] },
  google: {
    target: 'message',
    types: [...IMAGES, 'application/pdf', 'audio/wav', 'audio/mp3', 'audio/ogg', 'audio/flac', 'audio/aac'],
  },
  demo: { target: 'result', types: [] },
};

type Output = ToolResultPart['output'];
type ContentPart = Extract<Output, { type: 'content' }>['value'][number];
interface Media {
  data: string;
  mediaType: string;
}

/**
 * Gives the files in tool results to the model in the form that its wire takes, or names them where it takes none of
 * the kind: the newest ones as far as they fit into a request. A wire without files in results gets them as a message
 * right after. Base64 is never shown as text.
 */
export function mediaFor(wire: ModelWire, messages: ModelMessage[]): ModelMessage[] {
  const { target, types } = TAKES[wire];
  const shown = newest(messages, types);
  return messages.flatMap((message): ModelMessage[] => {
    if (message.role !== 'tool') return [message];
    const after: FilePart[] = [];
    const content = message.content.map((part) => {
      if (part.type !== 'tool-result') return part;
      const value = contentOf(part.output);
      if (!value) return { ...part, output: readable(part.output) };
      const parts = value.flatMap((piece): ContentPart[] => {
        const media = mediaOf(piece);
        if (!media)
          return piece.type === 'text' && piece.text.trim() ? [{ ...piece, text: withoutBase64(piece.text) }] : [];
        if (!shown.has(piece))
          return [
            named(
              media,
              types.includes(media.mediaType) ? 'left out: too many' : 'left out: the model does not take it',
            ),
          ];
        if (target === 'result') return [asPart(media)];
        after.push({ type: 'file', ...media });
        return [named(media, `shown below as file ${after.length}`)];
      });
      return { ...part, output: outputOf(parts) };
    });
    const tool: ModelMessage = { ...message, content };
    if (after.length === 0) return [tool];
    return [tool, { role: 'user', content: [{ type: 'text', text: '[Files that the tools returned:]' }, ...after] }];
  });
}

function newest(messages: ModelMessage[], types: string[]): Set<ContentPart> {
  const shown = new Set<ContentPart>();
  let chars = 0;
  for (const { role, content } of messages.toReversed()) {
    if (role !== 'tool') continue;
    for (const piece of content.flatMap((part) =>
      part.type === 'tool-result' ? (contentOf(part.output) ?? []) : [],
    )) {
      const media = mediaOf(piece);
      if (!media || !types.includes(media.mediaType)) continue;
      chars += media.data.length;
      if (chars > MAX_CHARS || shown.size >= MAX_FILES) return shown;
      shown.add(piece);
    }
  }
  return shown;
}

const contentOf = (output: Output) => (output.type === 'content' ? output.value : undefined);

function mediaOf(part: ContentPart): Media | undefined {
  if (!('data' in part && 'mediaType' in part)) return undefined;
  const { data, mediaType } = part;
  if (typeof data === 'string') return { data, mediaType };
  return data.type === 'data' && typeof data.data === 'string' ? { data: data.data, mediaType } : undefined;
}

function asPart({ data, mediaType }: Media): ContentPart {
  return { type: 'file', data: { type: 'data', data }, mediaType };
}

function named({ mediaType }: Media, what: string): ContentPart {
  return { type: 'text', text: `[a file of type ${mediaType}, ${what}]` };
}

function outputOf(parts: ContentPart[]): Output {
  const texts = parts.flatMap((part) => (part.type === 'text' ? part.text : []));
  return texts.length < parts.length
    ? { type: 'content', value: parts }
    : readable({ type: 'text', value: texts.join('\n') });
}

/** Some services refuse a result without words, and none is better understood for it. */
function readable(output: Output): Output {
  if (output.type !== 'text' && output.type !== 'error-text') return output;
  return { ...output, value: output.value.trim() ? withoutBase64(output.value) : '[no output]' };
}
