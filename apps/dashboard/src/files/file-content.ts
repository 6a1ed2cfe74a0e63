import { queryOptions } from '@tanstack/react-query';
import { agentKey } from '../agents/agents.js';
import { roost } from '../api/roost.js';

/** Beyond it a file is not edited in a browser. */
export const MAX_EDITED_BYTES = 2 * 1024 * 1024;
const MAX_PICTURE_BYTES = 16 * 1024 * 1024;
/** What a browser draws without carrying out anything that is in it. */
const PICTURES: Record<string, string> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  avif: 'image/avif',
};

export type FileContent =
  | { kind: 'text'; text: string; etag: string | undefined }
  | { kind: 'picture'; blob: Blob; size: number }
  /** `large`: it was not read. `bytes`: it is no text. */
  | { kind: 'large' | 'bytes'; size: number | undefined };

export const filesKey = (agentId: string) => [...agentKey(agentId), 'files'] as const;

export const fileQuery = (agentId: string, path: string) =>
  queryOptions({
    queryKey: [...filesKey(agentId), 'content', path],
    queryFn: ({ signal }) => readContent(agentId, path, signal),
    staleTime: 0,
  });

export async function readContent(agentId: string, path: string, signal?: AbortSignal): Promise<FileContent> {
  const download = await roost.agent(agentId).files.download(path, { signal });
  const { size, etag } = download;
  const type = PICTURES[path.split('.').at(-1)?.toLowerCase() ?? ''];
  if ((size ?? 0) > (type ? MAX_PICTURE_BYTES : MAX_EDITED_BYTES)) {
    await download.cancel();
    return { kind: 'large', size };
  }
  const bytes = (await download.bytes()) as Uint8Array<ArrayBuffer>;
  if (type) return { kind: 'picture', blob: new Blob([bytes], { type }), size: bytes.length };
  const text = textOf(bytes);
  return text === undefined ? { kind: 'bytes', size: bytes.length } : { kind: 'text', text, etag };
}

/** Undefined: the bytes are no text. A mark of their order at the beginning stays, so that it is written back. */
function textOf(bytes: Uint8Array): string | undefined {
  if (bytes.includes(0)) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}
