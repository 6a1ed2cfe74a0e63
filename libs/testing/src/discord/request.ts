import type { IncomingMessage } from 'node:http';
import type { BotApplication, FilePart } from './world.js';
import { ApiError, invalidForm } from './api-error.js';

export interface ApiRequest {
  bot: BotApplication;
  params: string[];
  query: URLSearchParams;
  body: Record<string, unknown>;
  files: Map<string, FilePart>;
}

export interface ApiResponse {
  status: number;
  body?: unknown;
}

const MOST_BYTES = 60 * 1024 * 1024;

/** The whole body; a request beyond what any bot may send is refused as Cloudflare's edge does. */
export async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= MOST_BYTES) chunks.push(chunk);
  }
  if (bytes > MOST_BYTES) throw new ApiError(413, 40_005, 'Request entity too large');
  return Buffer.concat(chunks);
}

/** JSON, or multipart with `payload_json` and `files[n]`: https://docs.discord.com/developers/reference#uploading-files */
export async function contentOf(
  contentType: string,
  bytes: Buffer,
): Promise<{ body: Record<string, unknown>; files: Map<string, FilePart> }> {
  const files = new Map<string, FilePart>();
  if (bytes.length === 0) return { body: {}, files };
  if (!contentType.startsWith('multipart/form-data')) return { body: json(bytes.toString()), files };
  const form = await new Response(new Uint8Array(bytes), { headers: { 'content-type': contentType } }).formData();
  let body: Record<string, unknown> = {};
  for (const [name, value] of form.entries()) {
    const index = /^files\[(\d+)\]$/.exec(name)?.[1];
    if (typeof value === 'string') {
      if (name === 'payload_json') body = json(value);
    } else if (index !== undefined) {
      files.set(index, { name: value.name, type: value.type, data: Buffer.from(await value.arrayBuffer()) });
    }
  }
  return { body, files };
}

function json(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    // Bulk overwrites post a list.
    return Array.isArray(value) ? { list: value } : (value as Record<string, unknown>);
  } catch {
    throw invalidForm({ _: { code: 'BASE_TYPE_REQUIRED', message: 'The request body contains invalid JSON.' } });
  }
}
