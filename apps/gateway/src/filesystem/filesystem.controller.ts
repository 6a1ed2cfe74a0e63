import {
  copyFiles,
  createDirectory,
  deleteDirectory,
  deletePaths,
  FileMetadata,
  getMetadata,
  listDirectory,
  moveFiles,
  RoostError,
  searchFiles,
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

const Flag = z.enum(['true', 'false']).default('false');
const ListQuery = wire({
  recursive: Flag,
  limit: z.coerce.number<number | string>().int().min(1).max(1_000).default(1_000),
  cursor: z.string().max(20_000).optional(),
});
type ListQuery = z.output<typeof ListQuery>;
const DeleteQuery = wire({ recursive: Flag });
type DeleteQuery = z.output<typeof DeleteQuery>;
const Permissions = z.string().regex(/^0?[0-7]{3}$/, 'must be three octal digits like 755');
const NewDirectory = wire({ recursive: z.boolean().default(false), permissions: Permissions.optional() });
type NewDirectory = z.output<typeof NewDirectory>;
const Changes = wire({
  permissions: Permissions.optional(),
  owner: z.string().max(100).optional(),
  group: z.string().max(100).optional(),
  tags: z.array(z.string().min(1).max(100)).max(50).optional(),
});
type Changes = z.output<typeof Changes>;
const Transfer = wire({
  source: WorkspacePath.min(1),
  destination: WorkspacePath.min(1),
  overwrite: z.boolean().default(false),
});
const Transfers = z.union([wire({ operations: z.array(Transfer).min(1).max(1_000) }), Transfer]);
type Transfers = z.output<typeof Transfers>;
const Deletion = wire({
  paths: z.array(WorkspacePath.min(1)).min(1).max(1_000),
  recursive: z.boolean().default(false),
});
type Deletion = z.output<typeof Deletion>;

const searchShape = {
  query: z.string().min(1).max(1_000).optional(),
  pattern: z.string().min(1).max(1_000).optional(),
  type: z.enum(['filename', 'content', 'both']).optional(),
  contentSearch: z.boolean().optional(),
  path: WorkspacePath.default(''),
  filePattern: z.string().max(1_000).optional(),
  caseSensitive: z.boolean().optional(),
  maxResults: z.number().int().min(1).max(1_000).optional(),
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
  @Endpoint({ access: 'account', summary: 'List the workspace', response: listDirectory.output, errors })
  listRoot(@Param(AgentParams) { id }: AgentParams, @Query(ListQuery) query: ListQuery, @Caller() caller: Identity) {
    return this.list({ id, path: '' }, query, caller);
  }

  @Get('directories/*')
  @Endpoint({ access: 'account', summary: 'List a directory, in name order', response: listDirectory.output, errors })
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
  @Endpoint({ access: 'account', summary: 'Describe a file or directory', response: FileMetadata, errors })
  metadata(@Param(FileParams) { id, path }: FileParams, @Caller() { accountId }: Identity) {
    return this.workspaces.request(accountId, getMetadata, { agentId: id, path });
  }

  @Patch('metadata/*')
  @Endpoint({ access: 'account', summary: 'Change permissions or tags', response: FileMetadata, errors })
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
