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
import { Workspaces } from '#lib/workspace-files';
import { Controller } from '@nestjs/common';
import { z } from 'zod';
import { type Call, Endpoint } from '../http/endpoint.js';
import { AgentParams, FileParams } from '../http/params.js';

type Params = z.output<typeof FileParams>;
const errors: ('NOT_FOUND' | 'ACCESS_DENIED' | 'AGENT_UNAVAILABLE')[] = [
  'NOT_FOUND',
  'ACCESS_DENIED',
  'AGENT_UNAVAILABLE',
];
const common = { access: 'account', tag: 'Filesystem', params: FileParams, errors } as const;
const operation = { ...common, params: AgentParams } as const;

const Flag = z.enum(['true', 'false']).default('false');
const ListQuery = wire({
  recursive: Flag,
  limit: z.coerce.number<number | string>().int().min(1).max(1_000).default(1_000),
  cursor: z.string().max(20_000).optional(),
});
const DeleteQuery = wire({ recursive: Flag });
const Permissions = z.string().regex(/^0?[0-7]{3}$/, 'must be three octal digits like 755');
const NewDirectory = wire({ recursive: z.boolean().default(false), permissions: Permissions.optional() });
const Changes = wire({
  permissions: Permissions.optional(),
  owner: z.string().max(100).optional(),
  group: z.string().max(100).optional(),
  tags: z.array(z.string().min(1).max(100)).max(50).optional(),
});
const Transfer = wire({
  source: WorkspacePath.min(1),
  destination: WorkspacePath.min(1),
  overwrite: z.boolean().default(false),
});
const Transfers = z.union([wire({ operations: z.array(Transfer).min(1).max(1_000) }), Transfer]);
const Deletion = wire({
  paths: z.array(WorkspacePath.min(1)).min(1).max(1_000),
  recursive: z.boolean().default(false),
});

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

/** spec: filesystem.md, all but files and archives */
@Controller('v1/agent/:id/filesystem')
export class FilesystemController {
  constructor(private readonly workspaces: Workspaces) {}

  @Endpoint({
    ...operation,
    method: 'GET',
    path: 'directories',
    summary: 'List the workspace',
    query: ListQuery,
    response: listDirectory.output,
  })
  listRoot(call: Call<z.output<typeof AgentParams>, z.output<typeof ListQuery>>) {
    return this.list({ ...call, params: { ...call.params, path: '' } });
  }

  @Endpoint({
    ...common,
    method: 'GET',
    path: 'directories/*path',
    summary: 'List a directory, in name order',
    query: ListQuery,
    response: listDirectory.output,
  })
  list({ params, query, accountId }: Call<Params, z.output<typeof ListQuery>>) {
    const { recursive, limit, cursor } = query;
    return this.workspaces.request(accountId, listDirectory, {
      agentId: params.id,
      path: params.path,
      recursive: recursive === 'true',
      limit,
      cursor,
    });
  }

  @Endpoint({
    ...common,
    method: 'POST',
    path: 'directories/*path',
    summary: 'Make a directory',
    body: NewDirectory,
    response: createDirectory.output,
    status: 201,
    errors: [...errors, 'ALREADY_EXISTS'],
  })
  makeDirectory({ params, body, accountId }: Call<Params, unknown, z.output<typeof NewDirectory>>) {
    return this.workspaces.request(accountId, createDirectory, { agentId: params.id, path: params.path, ...body });
  }

  @Endpoint({
    ...common,
    method: 'DELETE',
    path: 'directories/*path',
    summary: 'Delete a directory',
    query: DeleteQuery,
    response: deleteDirectory.output,
    errors: [...errors, 'CONFLICT'],
  })
  deleteDirectory({ params, query, accountId }: Call<Params, z.output<typeof DeleteQuery>>) {
    return this.workspaces.request(accountId, deleteDirectory, {
      agentId: params.id,
      path: params.path,
      recursive: query.recursive === 'true',
    });
  }

  @Endpoint({
    ...common,
    method: 'GET',
    path: 'metadata/*path',
    summary: 'Describe a file or directory',
    response: FileMetadata,
  })
  metadata({ params, accountId }: Call<Params>) {
    return this.workspaces.request(accountId, getMetadata, { agentId: params.id, path: params.path });
  }

  @Endpoint({
    ...common,
    method: 'PATCH',
    path: 'metadata/*path',
    summary: 'Change permissions or tags',
    body: Changes,
    response: FileMetadata,
  })
  changeMetadata({ params, body, accountId }: Call<Params, unknown, z.output<typeof Changes>>) {
    return this.workspaces.request(accountId, updateMetadata, { agentId: params.id, path: params.path, ...body });
  }

  @Endpoint({
    ...operation,
    method: 'POST',
    path: 'operations/copy',
    summary: 'Copy files and directories; each stands alone',
    body: Transfers,
    response: copyFiles.output,
  })
  copy({ params, body, accountId }: Call<z.output<typeof AgentParams>, unknown, z.output<typeof Transfers>>) {
    return this.workspaces.request(accountId, copyFiles, { agentId: params.id, operations: operationsOf(body) });
  }

  @Endpoint({
    ...operation,
    method: 'POST',
    path: 'operations/move',
    summary: 'Move files and directories; each stands alone',
    body: Transfers,
    response: moveFiles.output,
  })
  move({ params, body, accountId }: Call<z.output<typeof AgentParams>, unknown, z.output<typeof Transfers>>) {
    return this.workspaces.request(accountId, moveFiles, { agentId: params.id, operations: operationsOf(body) });
  }

  @Endpoint({
    ...operation,
    method: 'POST',
    path: 'operations/delete',
    summary: 'Delete files and directories; each stands alone',
    body: Deletion,
    response: deletePaths.output,
  })
  deleteMany({ params, body, accountId }: Call<z.output<typeof AgentParams>, unknown, z.output<typeof Deletion>>) {
    return this.workspaces.request(accountId, deletePaths, { agentId: params.id, ...body });
  }

  @Endpoint({
    ...operation,
    method: 'POST',
    path: 'operations/search',
    summary: 'Search names by glob and content by RE2 pattern',
    body: Search,
    example: { query: '*.txt' },
    response: searchFiles.output,
  })
  search({ params, body, accountId }: Call<z.output<typeof AgentParams>, unknown, z.output<typeof Search>>) {
    const given: z.output<typeof Search> = { ...body };
    for (const [snake, camel] of Object.entries(camelCase))
      Object.assign(given, { [camel]: given[camel as 'filePattern'] ?? given[snake as 'file_pattern'] });
    const query = given.query ?? given.pattern;
    if (query === undefined)
      throw new RoostError('VALIDATION_ERROR', 'query: is required', [{ field: 'query', reason: 'required' }]);
    return this.workspaces.request(accountId, searchFiles, {
      agentId: params.id,
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
