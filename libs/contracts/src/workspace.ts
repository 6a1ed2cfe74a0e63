import { z } from 'zod';
import { request } from './request.js';
import { AgentId, Count, Timestamp, wire } from './wire.js';

/**
 * What the daemon in an agent's sandbox answers, the streams aside. Subjects are `workspace.<agentId>.…`: a workspace's bus
 * credential reaches its own and no other's. Paths are relative to the workspace root; `/workspace/x`,
 * `workspace/x` and `x` name the same file. Answers give the absolute form.
 */
export const WorkspacePath = z.string().max(8_192);

export const WrittenFile = wire({ path: z.string(), size: Count, createdAt: Timestamp, etag: z.string().optional() });

export const pingWorkspace = request('workspace.{agentId}.ping', {
  input: wire({ agentId: AgentId }),
  output: wire({ bootId: z.string(), uptimeMs: Count }),
  timeoutMs: 1_000,
});

/** Errors: NOT_FOUND, ACCESS_DENIED, VALIDATION_ERROR (not UTF-8: use base64), PAYLOAD_TOO_LARGE. */
export const readFile = request('workspace.{agentId}.file.read', {
  input: wire({
    agentId: AgentId,
    path: WorkspacePath,
    encoding: z.enum(['utf-8', 'base64']).default('utf-8'),
    offset: Count.optional(),
    length: Count.optional(),
  }),
  output: wire({
    path: z.string(),
    content: z.string(),
    encoding: z.enum(['utf-8', 'base64']),
    size: Count,
    modifiedAt: Timestamp,
    etag: z.string().optional(),
  }),
  timeoutMs: 30_000,
});

/** What a write expects to find: nothing (unless it may overwrite), or the file it replaces, perhaps in a known state. */
export const writeExpectations = {
  overwrite: z.boolean().default(false),
  /** The file must be there already. Errors: NOT_FOUND. */
  mustExist: z.boolean().optional(),
  /** The etag it must have. Errors: PRECONDITION_FAILED. */
  ifMatch: z.string().max(200).optional(),
};

/** Creates a file with its parents; atomic. Errors: ALREADY_EXISTS (unless `overwrite`), ACCESS_DENIED, INSUFFICIENT_STORAGE. */
export const writeFile = request('workspace.{agentId}.file.write', {
  input: wire({
    agentId: AgentId,
    path: WorkspacePath,
    content: z.string(),
    encoding: z.enum(['utf-8', 'base64']).default('utf-8'),
    ...writeExpectations,
  }),
  output: WrittenFile,
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
  input: wire({
    agentId: AgentId,
    path: WorkspacePath,
    recursive: z.boolean().default(false),
    limit: Count.default(1_000),
    cursor: z.string().optional(),
  }),
  output: wire({ path: z.string(), entries: z.array(DirectoryEntry), nextCursor: z.string().nullable() }),
  timeoutMs: 30_000,
});

/**
 * Runs a shell command in the sandbox. Output above `maxOutputBytes` keeps head and tail and states how much was cut.
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

/** `replace` puts the content in place of `length` bytes at `position`. Errors: NOT_FOUND, PRECONDITION_FAILED, INSUFFICIENT_STORAGE. */
export const patchFile = request('workspace.{agentId}.file.patch', {
  input: wire({
    agentId: AgentId,
    path: WorkspacePath,
    operation: z.enum(['append', 'prepend', 'replace']),
    content: z.string(),
    encoding: z.enum(['utf-8', 'base64']).default('utf-8'),
    position: Count.optional(),
    length: Count.optional(),
    ifMatch: z.string().max(200).optional(),
  }),
  output: WrittenFile,
  timeoutMs: 60_000,
});

/** Errors: NOT_FOUND, VALIDATION_ERROR for a directory. */
export const deleteFile = request('workspace.{agentId}.file.delete', {
  input: wire({ agentId: AgentId, path: WorkspacePath, ifMatch: z.string().max(200).optional() }),
  output: wire({ path: z.string(), deletedAt: Timestamp }),
  timeoutMs: 30_000,
});

const Permissions = z.string().regex(/^0?[0-7]{3}$/, 'must be three octal digits like 755');

/** Errors: ALREADY_EXISTS, NOT_FOUND when a parent is missing and not `recursive`. */
export const createDirectory = request('workspace.{agentId}.directory.create', {
  input: wire({
    agentId: AgentId,
    path: WorkspacePath,
    recursive: z.boolean().default(false),
    permissions: Permissions.optional(),
  }),
  output: wire({ path: z.string(), createdAt: Timestamp }),
  timeoutMs: 30_000,
});

/** Errors: NOT_FOUND, CONFLICT when it is not empty and not `recursive`. */
export const deleteDirectory = request('workspace.{agentId}.directory.delete', {
  input: wire({ agentId: AgentId, path: WorkspacePath, recursive: z.boolean().default(false) }),
  output: wire({ path: z.string(), deletedAt: Timestamp }),
  timeoutMs: 120_000,
});

const Tags = z.array(z.string().min(1).max(100)).max(50);

/** A symbolic link is described itself, not what it leads to. */
export const FileMetadata = wire({
  path: z.string(),
  type: z.enum(['file', 'directory', 'symlink', 'other']),
  size: Count,
  permissions: z.string(),
  owner: z.string(),
  group: z.string(),
  tags: Tags,
  createdAt: Timestamp,
  modifiedAt: Timestamp,
  etag: z.string(),
});
export type FileMetadata = z.output<typeof FileMetadata>;

export const getMetadata = request('workspace.{agentId}.metadata.get', {
  input: wire({ agentId: AgentId, path: WorkspacePath }),
  output: FileMetadata,
  timeoutMs: 30_000,
});

/** Errors: NOT_FOUND, ACCESS_DENIED for an owner or group other than the agent's. */
export const updateMetadata = request('workspace.{agentId}.metadata.update', {
  input: wire({
    agentId: AgentId,
    path: WorkspacePath,
    permissions: Permissions.optional(),
    owner: z.string().max(100).optional(),
    group: z.string().max(100).optional(),
    tags: Tags.optional(),
  }),
  output: FileMetadata,
  timeoutMs: 30_000,
});

const Failure = wire({ code: z.string(), message: z.string() });
const Transfer = wire({ source: WorkspacePath, destination: WorkspacePath, overwrite: z.boolean().default(false) });
const transfers = {
  input: wire({ agentId: AgentId, operations: z.array(Transfer).min(1).max(1_000) }),
  output: wire({
    results: z.array(
      wire({ source: z.string(), destination: z.string(), success: z.boolean(), error: Failure.optional() }),
    ),
  }),
  timeoutMs: 300_000,
};

/** Each is independent: one that fails does not stop or undo the others. */
export const copyFiles = request('workspace.{agentId}.operations.copy', transfers);
export const moveFiles = request('workspace.{agentId}.operations.move', transfers);
export const deletePaths = request('workspace.{agentId}.operations.delete', {
  input: wire({
    agentId: AgentId,
    paths: z.array(WorkspacePath).min(1).max(1_000),
    recursive: z.boolean().default(false),
  }),
  output: wire({ results: z.array(wire({ path: z.string(), success: z.boolean(), error: Failure.optional() })) }),
  timeoutMs: 300_000,
});

/** Names by glob, content by RE2 syntax (linear time). Stops after five seconds: `truncated` is true then. */
export const searchFiles = request('workspace.{agentId}.search.run', {
  input: wire({
    agentId: AgentId,
    query: z.string().min(1).max(1_000),
    type: z.enum(['filename', 'content', 'both']).default('filename'),
    path: WorkspacePath.default(''),
    filePattern: z.string().max(1_000).optional(),
    caseSensitive: z.boolean().default(false),
    maxResults: z.number().int().min(1).max(1_000).default(100),
  }),
  output: wire({
    results: z.array(
      wire({
        path: z.string(),
        type: z.enum(['file', 'directory', 'symlink', 'other']),
        size: Count,
        matches: z.array(wire({ line: Count, text: z.string() })).optional(),
      }),
    ),
    total: Count,
    truncated: z.boolean(),
  }),
  timeoutMs: 15_000,
});

/** What the volume holds; counting stops after a second, then `isComplete` is false. */
export const getVolumeUsage = request('workspace.{agentId}.usage.get', {
  input: wire({ agentId: AgentId }),
  output: wire({ files: Count, bytes: Count, lastModified: Timestamp.nullable(), isComplete: z.boolean() }),
  timeoutMs: 10_000,
});

/**
 * Published by a daemon when it is asked for something, for as many milliseconds as that and what else is under way may
 * take; at most once a second for quick requests. With `isAll` when something long has ended: no more is under way than
 * this. Whoever wants to know who is used listens here: a listener on the requests themselves would count
 * as somebody who answers, and a request to a sleeping workspace would wait for its timeout.
 */
export const workspaceUsedSubject = (agentId: string) => `workspace.${agentId}.out.used`;
export const WorkspaceUsed = wire({ forMs: Count, isAll: z.boolean().optional() });
