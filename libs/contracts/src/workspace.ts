import { z } from 'zod';
import { request } from './request.js';
import { AgentId, Count, Timestamp, wire } from './wire.js';

/**
 * What the daemon in an agent's sandbox answers, the streams aside. Subjects are `workspace.<agentId>.…`: a workspace's bus
 * credential reaches its own and no other's. Paths are relative to the workspace root; `/workspace/x`,
 * `workspace/x` and `x` name the same file. Answers give the absolute form.
 */
export const WorkspacePath = z.string().max(8_192).describe('A path in the workspace.');
export const ShownPath = z.string().describe('Where it is, in absolute form: `/workspace/…`.');
export const FileSize = Count.describe('Its size in bytes.');
export const FileEncoding = z
  .enum(['utf-8', 'base64'])
  .meta({ id: 'FileEncoding', description: 'How `content` is written: text, or bytes in base64.' });
export const FileEtag = z.string().describe('Names this state of the file, for `If-Match`.');
export const FileType = z
  .enum(['file', 'directory', 'symlink', 'other'])
  .describe('What it is. A symbolic link is described itself, not what it leads to.');

export const WrittenFile = wire({
  path: ShownPath,
  size: FileSize,
  createdAt: Timestamp.describe('When it was written.'),
  etag: FileEtag.optional(),
}).meta({ id: 'WrittenFile', description: 'A file that was written.' });

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
    path: ShownPath,
    content: z.string().describe('What it holds, or the part that was asked for.'),
    encoding: FileEncoding,
    size: Count.describe('The size of the whole file in bytes.'),
    modifiedAt: Timestamp.describe('When it was last changed.'),
    etag: FileEtag.optional(),
  }).meta({ id: 'FileContent', description: 'A file with its content.' }),
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
  name: z.string().describe('Its name; of a recursive list, its path from the directory on.'),
  type: FileType,
  size: FileSize,
  modifiedAt: Timestamp.describe('When it was last changed.'),
}).meta({ id: 'DirectoryEntry', description: 'What a directory holds.' });

/** Name order. Errors: NOT_FOUND, ACCESS_DENIED. */
export const listDirectory = request('workspace.{agentId}.directory.list', {
  input: wire({
    agentId: AgentId,
    path: WorkspacePath,
    recursive: z.boolean().default(false),
    limit: Count.default(1_000),
    cursor: z.string().optional(),
  }),
  output: wire({
    path: ShownPath,
    entries: z.array(DirectoryEntry).describe('In the order of names.'),
    nextCursor: z.string().nullable().describe('Give it as `cursor` to go on; null at the end.'),
  }),
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
    /** The command learns the request's trace, as the agent's owner allows. */
    learnsTrace: z.boolean().optional(),
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
  output: wire({ path: ShownPath, deletedAt: Timestamp.describe('When it was deleted.') }),
  timeoutMs: 30_000,
});

export const FilePermissions = z
  .string()
  .regex(/^0?[0-7]{3}$/, 'must be three octal digits like 755')
  .meta({ description: 'Its permissions as octal digits, such as 755.', examples: ['755'] });

/** Errors: ALREADY_EXISTS, NOT_FOUND when a parent is missing and not `recursive`. */
export const createDirectory = request('workspace.{agentId}.directory.create', {
  input: wire({
    agentId: AgentId,
    path: WorkspacePath,
    recursive: z.boolean().default(false),
    permissions: FilePermissions.optional(),
  }),
  output: wire({ path: ShownPath, createdAt: Timestamp.describe('When it was made.') }),
  timeoutMs: 30_000,
});

/** Errors: NOT_FOUND, CONFLICT when it is not empty and not `recursive`. */
export const deleteDirectory = request('workspace.{agentId}.directory.delete', {
  input: wire({ agentId: AgentId, path: WorkspacePath, recursive: z.boolean().default(false) }),
  output: wire({ path: ShownPath, deletedAt: Timestamp.describe('When it was deleted.') }),
  timeoutMs: 120_000,
});

export const FileTags = z
  .array(z.string().min(1).max(100))
  .max(50)
  .describe('Tags of yours: at most 50, of 100 characters.');

/** A symbolic link is described itself, not what it leads to. */
export const FileMetadata = wire({
  path: ShownPath,
  type: FileType,
  size: FileSize,
  permissions: z.string().describe('Its permissions as octal digits.'),
  owner: z.string().describe('The user it belongs to.'),
  group: z.string().describe('The group it belongs to.'),
  tags: FileTags,
  createdAt: Timestamp.describe('When it was made.'),
  modifiedAt: Timestamp.describe('When it was last changed.'),
  etag: FileEtag,
}).meta({ id: 'FileMetadata', description: 'What is known of a file or directory beside its content.' });
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
    permissions: FilePermissions.optional(),
    owner: z.string().max(100).optional(),
    group: z.string().max(100).optional(),
    tags: FileTags.optional(),
  }),
  output: FileMetadata,
  timeoutMs: 30_000,
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
