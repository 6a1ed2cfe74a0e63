import { z } from 'zod';
import { request } from './request.js';
import { AgentId, Bytes, Count, Timestamp, wire } from './wire.js';
import { WorkspacePath, writeExpectations } from './workspace.js';

const StreamId = z.string().min(1).max(64);
/** Of one part of a stream: larger ones are quicker, and each side holds a few of them. */
export const STREAM_PART_BYTES = 256 * 1024;

/**
 * Begins to read a file or to pack a subtree. A file is what it was when opened, up to its size then: replacing it
 * meanwhile does not mix two contents. A stream that nobody reads for a minute is given up.
 */
export const openReadStream = request('workspace.{agentId}.stream.open-read', {
  input: wire({
    agentId: AgentId,
    path: WorkspacePath,
    source: z.enum(['file', 'tar.gz', 'zip']).default('file'),
    offset: Count.default(0),
    length: Count.optional(),
  }),
  output: wire({
    streamId: StreamId,
    path: z.string(),
    size: Count.nullable(),
    etag: z.string(),
    modifiedAt: Timestamp,
  }),
  timeoutMs: 30_000,
});

/**
 * The part with this number, counted from 0. Parts come in order; asking for the next before the last has arrived is
 * allowed and makes it quick. Errors: NOT_FOUND when the stream was given up.
 */
export const readStream = request('workspace.{agentId}.stream.read', {
  input: wire({ agentId: AgentId, streamId: StreamId, part: Count }),
  output: wire({ data: Bytes, isLast: z.boolean() }),
  timeoutMs: 60_000,
});

/** Where a patch puts its content: `replace` in place of `length` bytes at `position`. */
export const FilePatch = wire({
  operation: z.enum(['append', 'prepend', 'replace']),
  position: Count.optional(),
  length: Count.optional(),
});

/**
 * Begins to write a file, to patch one, or to unpack an archive below a directory. Nothing is seen until it is finished.
 * `patch` goes with the target `patch` alone.
 */
export const openWriteStream = request('workspace.{agentId}.stream.open-write', {
  input: wire({
    agentId: AgentId,
    path: WorkspacePath,
    target: z.enum(['file', 'tar.gz', 'zip', 'patch']).default('file'),
    patch: FilePatch.optional(),
    ...writeExpectations,
  }),
  output: wire({ streamId: StreamId }),
  timeoutMs: 30_000,
});

/** Errors: NOT_FOUND when the stream was given up, CONFLICT for a part out of order, INSUFFICIENT_STORAGE. */
export const writeStream = request('workspace.{agentId}.stream.write', {
  input: wire({ agentId: AgentId, streamId: StreamId, part: Count, data: Bytes }),
  output: wire({ bytes: Count }),
  timeoutMs: 60_000,
});

/** Puts what was written in its place, in one step for a file. Errors of `openWriteStream`, checked again. */
export const finishWriteStream = request('workspace.{agentId}.stream.finish', {
  input: wire({ agentId: AgentId, streamId: StreamId }),
  output: wire({ path: z.string(), size: Count, createdAt: Timestamp, etag: z.string().nullable(), files: Count }),
  timeoutMs: 300_000,
});

/** Gives a stream up and forgets what was written. Idempotent. */
export const closeStream = request('workspace.{agentId}.stream.close', {
  input: wire({ agentId: AgentId, streamId: StreamId }),
  output: wire({ closed: z.boolean() }),
});
