import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';

const MAX_CHARS = 30_000;
const MAX_IMAGE_CHARS = 1_400_000;
const MAX_IMAGES = 5;

/** An MCP result as the model gets it. */
export interface ToolOutput {
  text: string;
  images: { data: string; mediaType: string }[];
}

/** Text is capped with head and tail kept; images are passed on while they are small and few; the rest is named. */
export function toToolOutput(result: CallToolResult): ToolOutput {
  const images: ToolOutput['images'] = [];
  const texts = result.content.map((part) => {
    switch (part.type) {
      case 'text':
        return part.text;
      case 'image':
        if (images.length >= MAX_IMAGES || part.data.length > MAX_IMAGE_CHARS)
          return `[an image of type ${part.mimeType} was left out: too large or too many]`;
        images.push({ data: part.data, mediaType: part.mimeType });
        return '';
      case 'audio':
        return `[audio of type ${part.mimeType} was left out]`;
      case 'resource':
        return 'text' in part.resource
          ? `[resource ${part.resource.uri}]\n${part.resource.text}`
          : `[resource ${part.resource.uri}: binary, left out]`;
      case 'resource_link':
        return `[resource ${part.uri}: ${part.name}]`;
    }
  });
  if (texts.every((text) => !text) && images.length === 0 && result.structuredContent)
    texts.push(JSON.stringify(result.structuredContent));
  return { text: capText(texts.filter(Boolean).join('\n')), images };
}

/** Keeps head and tail and says how much was cut. */
export function capText(text: string, max = MAX_CHARS): string {
  if (text.length <= max) return text;
  const half = Math.floor(max / 2);
  return `${text.slice(0, half)}\n[… ${text.length - 2 * half} characters were cut …]\n${text.slice(-half)}`;
}
