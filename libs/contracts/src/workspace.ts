import { z } from 'zod';
import { request } from './request.js';
import { AgentId, Count, Timestamp, wire } from './wire.js';

/**
 * What the daemon in an agent's sandbox answers. Subjects are `workspace.<agentId>.…`: a workspace's bus
 * credential reaches its own and no other's. Paths are relative to the workspace root; `/workspace/x`,
 * `workspace/x` and `x` name the same file. Answers give the absolute form.
 */
const Path = z.string().max(8_192);

export const pingWorkspace = request('workspace.{agentId}.ping', {
  input: wire({ agentId: AgentId }),
  output: wire({ bootId: z.string(), uptimeMs: Count }),
  timeoutMs: 1_000,
});

/** Errors: NOT_FOUND, ACCESS_DENIED, VALIDATION_ERROR (not UTF-8: use base64), PAYLOAD_TOO_LARGE. */
export const readFile = request('workspace.{agentId}.file.read', {
  input: wire({ agentId: AgentId, path: Path, encoding: z.enum(['utf-8', 'base64']).default('utf-8'), offset: Count.optional(), length: Count.optional() }),
  output: wire({ path: z.string(), content: z.string(), encoding: z.enum(['utf-8', 'base64']), size: Count, modifiedAt: Timestamp }),
  timeoutMs: 30_000,
});

/** Creates a file with its parents; atomic. Errors: ALREADY_EXISTS (unless `overwrite`), ACCESS_DENIED, INSUFFICIENT_STORAGE. */
export const writeFile = request('workspace.{agentId}.file.write', {
  input: wire({ agentId: AgentId, path: Path, content: z.string(), encoding: z.enum(['utf-8', 'base64']).default('utf-8'), overwrite: z.boolean().default(false) }),
  output: wire({ path: z.string(), size: Count, createdAt: Timestamp }),
  timeoutMs: 30_000,
});

export const DirectoryEntry = wire({
  name: z.string(),
  type: z.enum(['file', 'directory', 'symlink', 'other']),
  size: Count,
  modifiedAt: Timestamp,
});

/** Name order. Errors: NOT_FOUND, ACCESS_DENIED. */
export const listDirectory = request('workspace.{agentId}.directory.list', {
  input: wire({ agentId: AgentId, path: Path, recursive: z.boolean().default(false), limit: Count.default(1_000), cursor: z.string().optional() }),
  output: wire({ path: z.string(), entries: z.array(DirectoryEntry), nextCursor: z.string().nullable() }),
  timeoutMs: 30_000,
});

/**
 * Runs a shell command in the sandbox. Output above `maxOutputBytes` keeps head and tail and says how much was cut.
 * `execId` names the run, so that it can be cancelled. A command that ends badly is an answer, not an error.
 */
export const execCommand = request('workspace.{agentId}.exec.run', {
  input: wire({
    agentId: AgentId,
    execId: z.string().min(1).max(100),
    command: z.string().min(1).max(100_000),
    timeoutMs: Count.default(120_000),
    maxOutputBytes: Count.default(30_000),
  }),
  output: wire({
    exitCode: z.number().int().nullable(),
    signal: z.string().nullable(),
    stdout: z.string(),
    stderr: z.string(),
    timedOut: z.boolean(),
    cancelled: z.boolean(),
    durationMs: Count,
  }),
  timeoutMs: 3_700_000,
});

/** Kills the whole process tree of a run. Idempotent. */
export const cancelExec = request('workspace.{agentId}.exec.cancel', {
  input: wire({ agentId: AgentId, execId: z.string().min(1).max(100) }),
  output: wire({ cancelled: z.boolean() }),
});
