import type { Bus } from '#lib/bus';
import {
  deleteFile,
  finishWriteStream,
  openReadStream,
  openWriteStream,
  readStream,
  RoostError,
  STREAM_PART_BYTES,
  writeStream,
} from '#lib/contracts';
import { ownCall } from '#lib/bus';

export interface WriteMode {
  overwrite: boolean;
  mustExist?: boolean;
}

const CALL_MS = 60_000;
/** What is taken into memory of a file that an agent made. */
const MAX_TAKEN_BYTES = 32 * 2 ** 20;
const call = () => ownCall('req_lifecycle_files', CALL_MS);

/** Writes one file in parts, seen only when complete. Errors: those of the workspace's `openWriteStream`. */
export async function putFile(bus: Bus, agentId: string, path: string, content: Buffer, mode: WriteMode) {
  const { streamId } = await bus.request(openWriteStream, { agentId, path, target: 'file', ...mode }, call());
  for (let part = 0; part * STREAM_PART_BYTES < content.length; part += 1) {
    const data = content.subarray(part * STREAM_PART_BYTES, (part + 1) * STREAM_PART_BYTES);
    await bus.request(writeStream, { agentId, streamId, part, data }, call());
  }
  await bus.request(finishWriteStream, { agentId, streamId }, call());
}

/** What a file holds; undefined when there is none. Errors: PAYLOAD_TOO_LARGE above 32 MiB. */
export async function takeFile(bus: Bus, agentId: string, path: string): Promise<Buffer | undefined> {
  try {
    const { streamId } = await bus.request(openReadStream, { agentId, path, source: 'file', offset: 0 }, call());
    const parts: Uint8Array[] = [];
    let bytes = 0;
    for (let part = 0; ; part += 1) {
      const { data, isLast } = await bus.request(readStream, { agentId, streamId, part }, call());
      parts.push(data);
      bytes += data.length;
      if (bytes > MAX_TAKEN_BYTES) {
        throw new RoostError('PAYLOAD_TOO_LARGE', `${path} is larger than 32 MiB: change it through the files API`);
      }
      if (isLast) return Buffer.concat(parts);
    }
  } catch (error) {
    if (error instanceof RoostError && error.code === 'NOT_FOUND') return undefined;
    throw error;
  }
}

export async function removeFile(bus: Bus, agentId: string, path: string): Promise<void> {
  await bus.request(deleteFile, { agentId, path }, call());
}
