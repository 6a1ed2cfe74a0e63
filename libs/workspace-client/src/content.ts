import { type CallContext, currentCall, ownCall } from '#lib/call-context';
import {
  closeStream,
  type FilePatch,
  finishWriteStream,
  isBase64Text,
  openReadStream,
  openWriteStream,
  patchFile,
  readStream,
  RoostError,
  STREAM_PART_BYTES,
  writeFile,
  writeStream,
} from '#lib/contracts';
import { Injectable } from '@nestjs/common';
import { Readable } from 'node:stream';
import type { z } from 'zod';
import { Workspaces } from './workspaces.js';

export const MAX_JSON_CONTENT_BYTES = 10 * 1024 * 1024;
/** Parts of a download that are under way at once: more of them are quicker, and take more memory. */
const PARTS_AHEAD = 2;
/** Above this a body travels in parts; below, in one bus message, escapes and base64 included. */
const ONE_MESSAGE_BYTES = 128 * 1024;
const PART_TIMEOUT_MS = 60_000;

export type WriteTarget = Omit<z.output<typeof openWriteStream.input>, 'agentId'>;
export type TextPatch = z.output<typeof FilePatch> & { path: string; ifMatch?: string | undefined };
export type ReadSource = Omit<z.output<typeof openReadStream.input>, 'agentId'>;
export type Opened = z.output<typeof openReadStream.output>;

/** Content in and out of a workspace, in parts of which two are under way at a time: none piles up. */
@Injectable()
export class Content {
  constructor(private readonly workspaces: Workspaces) {}

  /** Writes a stream to its end, then puts it in its place. Whatever fails, nothing is left of it. */
  async write(accountId: string, agentId: string, target: WriteTarget, source: AsyncIterable<Buffer>) {
    const context = contextOf();
    const { streamId } = await this.workspaces.request(accountId, openWriteStream, { agentId, ...target });
    try {
      let part = 0;
      let underWay: Promise<unknown> = Promise.resolve();
      for await (const bytes of inParts(source)) {
        const next = this.workspaces.continue(writeStream, { agentId, streamId, part, data: bytes }, soon(context));
        next.catch(() => undefined); // awaited below, after the part before it
        await underWay;
        underWay = next;
        part += 1;
      }
      await underWay;
      const finished = await this.workspaces.continue(finishWriteStream, { agentId, streamId }, soon(context, 300_000));
      return { ...finished, etag: finished.etag ?? undefined };
    } catch (error) {
      void this.workspaces.continue(closeStream, { agentId, streamId }, soon(context)).catch(() => undefined);
      throw error;
    }
  }

  /** Writes what came in a JSON body. Errors: PAYLOAD_TOO_LARGE above 10 MiB. */
  async writeText(
    accountId: string,
    agentId: string,
    target: WriteTarget,
    content: string,
    encoding: 'utf-8' | 'base64',
  ) {
    const { target: _, ...expected } = target;
    if (content.length < ONE_MESSAGE_BYTES) {
      return this.workspaces.request(accountId, writeFile, { agentId, ...expected, content, encoding });
    }
    return this.write(accountId, agentId, target, Readable.from([bytesOf(content, encoding)]));
  }

  /** Changes a part of a file by what came in a JSON body. Errors: PAYLOAD_TOO_LARGE above 10 MiB. */
  patchText(
    accountId: string,
    agentId: string,
    { path, ifMatch, ...patch }: TextPatch,
    content: string,
    encoding: 'utf-8' | 'base64',
  ) {
    if (content.length < ONE_MESSAGE_BYTES)
      return this.workspaces.request(accountId, patchFile, { agentId, path, ifMatch, ...patch, content, encoding });
    const target: WriteTarget = { path, target: 'patch', patch, ifMatch, overwrite: true };
    return this.write(accountId, agentId, target, Readable.from([bytesOf(content, encoding)]));
  }

  /** Opens content for reading: what it is, and the stream of its bytes, which must be read or destroyed. */
  async read(accountId: string, agentId: string, source: ReadSource): Promise<{ about: Opened; bytes: Readable }> {
    const context = contextOf();
    const about = await this.workspaces.request(accountId, openReadStream, { agentId, ...source });
    const part = (number: number) => {
      const answer = this.workspaces.continue(
        readStream,
        { agentId, streamId: about.streamId, part: number },
        soon(context),
      );
      answer.catch(() => undefined); // awaited by the reader, if it gets that far
      return answer;
    };
    const close = () =>
      void this.workspaces
        .continue(closeStream, { agentId, streamId: about.streamId }, soon(context))
        .catch(() => undefined);
    async function* parts() {
      try {
        const ahead = [part(0)];
        for (let asked = 1; ;) {
          const { data, isLast } = await ahead.shift()!;
          // Most content is one part; what is longer is asked for ahead of its reader.
          while (!isLast && ahead.length < PARTS_AHEAD) ahead.push(part(asked++));
          yield data;
          if (isLast) return;
        }
      } finally {
        close();
      }
    }
    const bytes = Readable.from(parts(), { objectMode: false, highWaterMark: STREAM_PART_BYTES });
    // Destroyed before it was ever read, the generator has not begun and its `finally` does not run.
    bytes.once('close', close);
    return { about, bytes };
  }
}

/**
 * Each part is good until the one after the next is asked for: they lie in two buffers by turns, so that a gigabyte
 * leaves no garbage.
 */
async function* inParts(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let [part, other] = [Buffer.allocUnsafeSlow(STREAM_PART_BYTES), Buffer.allocUnsafeSlow(STREAM_PART_BYTES)];
  let filled = 0;
  for await (const chunk of source) {
    for (let taken = 0; taken < chunk.length;) {
      const copied = chunk.copy(part, filled, taken);
      taken += copied;
      filled += copied;
      if (filled < part.length) continue;
      yield part;
      [part, other] = [other, part];
      filled = 0;
    }
  }
  if (filled > 0) yield part.subarray(0, filled);
}

/** Errors: VALIDATION_ERROR for what is no base64, PAYLOAD_TOO_LARGE. */
function bytesOf(content: string, encoding: 'utf-8' | 'base64'): Buffer {
  if (encoding === 'base64' && !isBase64Text(content))
    throw new RoostError('VALIDATION_ERROR', 'content: is not base64', [{ field: 'content', reason: 'not_base64' }]);
  const bytes = Buffer.from(content, encoding === 'base64' ? 'base64' : 'utf8');
  if (bytes.length > MAX_JSON_CONTENT_BYTES) {
    throw new RoostError(
      'PAYLOAD_TOO_LARGE',
      'content: at most 10 MiB in JSON; send more with content-type: application/octet-stream',
      [{ field: 'content', reason: 'too_large', max: MAX_JSON_CONTENT_BYTES }],
    );
  }
  return bytes;
}

function contextOf(): CallContext {
  return currentCall() ?? ownCall('req_filesystem');
}

/** A gigabyte takes longer than one request may: each part has its own deadline. */
function soon(context: CallContext, timeoutMs = PART_TIMEOUT_MS): CallContext {
  return { ...context, deadline: Date.now() + timeoutMs };
}
