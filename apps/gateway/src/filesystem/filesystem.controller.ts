import {
  copyFiles,
  createDirectory,
  deleteDirectory,
  deletePaths,
  FilePermissions,
  FileMetadata,
  FileTags,
  getMetadata,
  listDirectory,
  moveFiles,
  RoostError,
  searchFiles,
  transferFields,
  updateMetadata,
  wire,
  WorkspacePath,
} from '#lib/contracts';
import { Workspaces } from '#lib/workspace-client';
import { Controller, Delete, Get, Patch, Post } from '@nestjs/common';
import { z } from 'zod';
import type { Identity } from '../accounts/identity.js';
import { Body, Caller, Param, Query } from '../http/arguments.js';
import { Endpoint, Tag } from '../http/endpoint.js';
import { AgentParams, FileParams } from '../http/params.js';

const errors: ('NOT_FOUND' | 'ACCESS_DENIED' | 'AGENT_UNAVAILABLE')[] = [
  'NOT_FOUND',
  'ACCESS_DENIED',
  'AGENT_UNAVAILABLE',
];

const Recursive = z.enum(['true', 'false']).default('false').describe('Whether with all that is below it.');
const ListQuery = wire({
  recursive: Recursive,
  limit: z.coerce.number<number | string>().int().min(1).max(1_000).default(1_000).describe('Most entries to return.'),
  cursor: z.string().max(20_000).optional().describe('Where to go on: `next_cursor` of the page before.'),
});
type ListQuery = z.output<typeof ListQuery>;
const DeleteQuery = wire({ recursive: Recursive });
type DeleteQuery = z.output<typeof DeleteQuery>;
const NewDirectory = wire({
  recursive: z.boolean().default(false).describe('Whether directories on the way are made, too.'),
  permissions: FilePermissions.optional(),
});
type NewDirectory = z.output<typeof NewDirectory>;
const Changes = wire({
  permissions: FilePermissions.optional(),
  owner: z.string().max(100).optional().describe('The agent’s own user; no other can be set.'),
  group: z.string().max(100).optional().describe('The agent’s own group; no other can be set.'),
  tags: FileTags.optional(),
});
type Changes = z.output<typeof Changes>;
const Transfer = wire({
  ...transferFields,
  source: transferFields.source.min(1),
  destination: transferFields.destination.min(1),
}).meta({ id: 'Transfer', description: 'What is to go where.' });
const Transfers = z.union([
  wire({ operations: z.array(Transfer).min(1).max(1_000).describe('What is to be done, in this order.') }),
  Transfer,
]);
type Transfers = z.output<typeof Transfers>;
const Deletion = wire({
  paths: z.array(WorkspacePath.min(1)).min(1).max(1_000).describe('What is to be deleted.'),
  recursive: z.boolean().default(false).describe('Whether directories with all that is in them.'),
});
type Deletion = z.output<typeof Deletion>;

const searchShape = {
  query: z.string().min(1).max(1_000).optional().describe('What to look for: a glob for names, RE2 for content.'),
  pattern: z.string().min(1).max(1_000).optional().describe('The same as `query`.'),
  type: z.enum(['filename', 'content', 'both']).optional().describe('Where to look; in names if not given.'),
  contentSearch: z.boolean().optional().describe('True: the same as `type: content`.'),
  path: WorkspacePath.default('').describe('The directory to look in; the whole workspace if not given.'),
  filePattern: z.string().max(1_000).optional().describe('Of a search in content: a glob of the files to look into.'),
  caseSensitive: z.boolean().optional().describe('Whether capitals matter; they do not if not given.'),
  maxResults: z.number().int().min(1).max(1_000).optional().describe('Most results to return; 100 if not given.'),
};
/** The reference writes these in camelCase; snake_case is taken too. */
const camelCase = {
  file_pattern: 'filePattern',
  case_sensitive: 'caseSensitive',
  max_results: 'maxResults',
  content_search: 'contentSearch',
};
const Search = z.strictObject({
  ...searchShape,
  file_pattern: searchShape.filePattern,
  case_sensitive: searchShape.caseSensitive,
  max_results: searchShape.maxResults,
  content_search: searchShape.contentSearch,
});
type Search = z.output<typeof Search>;

/** spec: filesystem.md, all but files and archives */
@Tag('Filesystem')
@Controller('v1/agent/:id/filesystem')
export class FilesystemController {
  constructor(private readonly workspaces: Workspaces) {}

  @Get('directories')
  @Endpoint({
    access: 'account',
    summary: 'List the workspace',
    description: 'What is at the top of it.',
    responseDescription: 'What is there.',
    response: listDirectory.output,
    errors,
  })
  listRoot(@Param(AgentParams) { id }: AgentParams, @Query(ListQuery) query: ListQuery, @Caller() caller: Identity) {
    return this.list({ id, path: '' }, query, caller);
  }

  @Get('directories/*')
  @Endpoint({
    access: 'account',
    summary: 'List a directory, in name order',
    description: '`recursive` lists the whole tree below it. Go on with `next_cursor` as `cursor`.',
    responseDescription: 'What is there.',
    response: listDirectory.output,
    errors,
  })
  list(
    @Param(FileParams) { id, path }: FileParams,
    @Query(ListQuery) query: ListQuery,
    @Caller() { accountId }: Identity,
  ) {
    const { recursive, limit, cursor } = query;
    return this.workspaces.request(accountId, listDirectory, {
      agentId: id,
      path,
      recursive: recursive === 'true',
      limit,
      cursor,
    });
  }

  @Post('directories/*')
  @Endpoint({
    access: 'account',
    summary: 'Make a directory',
    description: 'With `recursive` those on the way, too; without it a missing parent is 404. One that exists is 409.',
    responseDescription: 'It was made.',
    response: createDirectory.output,
    status: 201,
    errors: [...errors, 'ALREADY_EXISTS'],
  })
  makeDirectory(
    @Param(FileParams) { id, path }: FileParams,
    @Body(NewDirectory) body: NewDirectory,
    @Caller() { accountId }: Identity,
  ) {
    return this.workspaces.request(accountId, createDirectory, { agentId: id, path, ...body });
  }

  @Delete('directories/*')
  @Endpoint({
    access: 'account',
    summary: 'Delete a directory',
    description: 'One that is not empty is 409, unless `recursive` is given.',
    responseDescription: 'It is deleted.',
    response: deleteDirectory.output,
    errors: [...errors, 'CONFLICT'],
  })
  deleteDirectory(
    @Param(FileParams) { id, path }: FileParams,
    @Query(DeleteQuery) query: DeleteQuery,
    @Caller() { accountId }: Identity,
  ) {
    return this.workspaces.request(accountId, deleteDirectory, {
      agentId: id,
      path,
      recursive: query.recursive === 'true',
    });
  }

  @Get('metadata/*')
  @Endpoint({
    access: 'account',
    summary: 'Describe a file or directory',
    description: 'Size, times, permissions, tags and the `etag` for `If-Match`.',
    responseDescription: 'What is known of it.',
    response: FileMetadata,
    errors,
  })
  metadata(@Param(FileParams) { id, path }: FileParams, @Caller() { accountId }: Identity) {
    return this.workspaces.request(accountId, getMetadata, { agentId: id, path });
  }

  @Patch('metadata/*')
  @Endpoint({
    access: 'account',
    summary: 'Change permissions or tags',
    description: 'What is left out stays. Another owner or group than the agent’s own is 403.',
    responseDescription: 'What is known of it now.',
    response: FileMetadata,
    errors,
  })
  changeMetadata(
    @Param(FileParams) { id, path }: FileParams,
    @Body(Changes) body: Changes,
    @Caller() { accountId }: Identity,
  ) {
    return this.workspaces.request(accountId, updateMetadata, { agentId: id, path, ...body });
  }

  @Post('operations/copy')
  @Endpoint({
    access: 'account',
    summary: 'Copy files and directories; each stands alone',
    description:
      'One that fails does not stop or undo the others: look at `success` of each. Up to 1,000 at once; a bare `{ source, destination }` is one.',
    responseDescription: 'What became of each.',
    response: copyFiles.output,
    errors,
  })
  copy(@Param(AgentParams) { id }: AgentParams, @Body(Transfers) body: Transfers, @Caller() { accountId }: Identity) {
    return this.workspaces.request(accountId, copyFiles, { agentId: id, operations: operationsOf(body) });
  }

  @Post('operations/move')
  @Endpoint({
    access: 'account',
    summary: 'Move files and directories; each stands alone',
    description:
      'One that fails does not stop or undo the others: look at `success` of each. Up to 1,000 at once; a bare `{ source, destination }` is one.',
    responseDescription: 'What became of each.',
    response: moveFiles.output,
    errors,
  })
  move(@Param(AgentParams) { id }: AgentParams, @Body(Transfers) body: Transfers, @Caller() { accountId }: Identity) {
    return this.workspaces.request(accountId, moveFiles, { agentId: id, operations: operationsOf(body) });
  }

  @Post('operations/delete')
  @Endpoint({
    access: 'account',
    summary: 'Delete files and directories; each stands alone',
    description:
      'One that fails does not stop the others: look at `success` of each. Up to 1,000 at once. Directories that are not empty need `recursive`.',
    responseDescription: 'What became of each.',
    response: deletePaths.output,
    errors,
  })
  deleteMany(
    @Param(AgentParams) { id }: AgentParams,
    @Body(Deletion) body: Deletion,
    @Caller() { accountId }: Identity,
  ) {
    return this.workspaces.request(accountId, deletePaths, { agentId: id, ...body });
  }

  @Post('operations/search')
  @Endpoint({
    access: 'account',
    summary: 'Search names by glob and content by RE2 pattern',
    description:
      'Names match a glob such as `*.txt`, lines of content a regular expression in RE2 syntax. It stops after five seconds or at `maxResults`: `truncated` is true then.',
    responseDescription: 'What was found.',
    example: { query: '*.txt' },
    response: searchFiles.output,
    errors,
  })
  search(@Param(AgentParams) { id }: AgentParams, @Body(Search) body: Search, @Caller() { accountId }: Identity) {
    const given: z.output<typeof Search> = { ...body };
    for (const [snake, camel] of Object.entries(camelCase))
      Object.assign(given, { [camel]: given[camel as 'filePattern'] ?? given[snake as 'file_pattern'] });
    const query = given.query ?? given.pattern;
    if (query === undefined)
      throw new RoostError('VALIDATION_ERROR', 'query: is required', [{ field: 'query', reason: 'required' }]);
    return this.workspaces.request(accountId, searchFiles, {
      agentId: id,
      query,
      type: given.type ?? (given.contentSearch ? 'content' : 'filename'),
      path: given.path,
      filePattern: given.filePattern,
      caseSensitive: given.caseSensitive ?? false,
      maxResults: given.maxResults ?? 100,
    });
  }
}

function operationsOf(body: z.output<typeof Transfers>) {
  return 'operations' in body ? body.operations : [body];
}
