import { Roost } from '@roost-ai/sdk';
import { roostOptions } from '../api/roost.js';
import { uploadFetch } from './upload-fetch.js';

/** What the API takes in one request. */
export const MAX_UPLOAD_BYTES = 2 ** 30;
/** So much over a slow line. */
const TIMEOUT_MS = 6 * 3_600_000;

interface UploadOptions {
  overwrite: boolean;
  signal: AbortSignal;
  onSent: (bytes: number) => void;
}

/** Sends a file to the workspace, and says how far it is. Errors: those of the SDK. */
export async function uploadFile(
  { agentId, path }: { agentId: string; path: string },
  file: File,
  { onSent, ...options }: UploadOptions,
): Promise<void> {
  const client = new Roost({ ...roostOptions, fetch: uploadFetch(onSent) });
  await client.agent(agentId).files.write(path, file, { ...options, timeoutMs: TIMEOUT_MS });
}
