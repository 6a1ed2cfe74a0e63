import { readFile, wire, writeFile } from '#lib/contracts';
import { Controller } from '@nestjs/common';
import { z } from 'zod';
import { type Call, Endpoint } from '../http/endpoint.js';
import { FileParams } from '../http/params.js';
import { Workspaces } from './workspaces.js';

type Params = z.output<typeof FileParams>;
const common = { access: 'account', tag: 'Filesystem', params: FileParams } as const;
const Encoding = z.enum(['utf-8', 'base64']).default('utf-8');
const Bytes = z.coerce.number<number | string>().int().min(0);
const ReadQuery = wire({ encoding: Encoding, offset: Bytes.optional(), length: Bytes.optional() });
const NewFile = wire({ content: z.string(), encoding: Encoding, overwrite: z.boolean().default(false) });

/** spec: filesystem.md */
@Controller('v1/agent/:id/filesystem')
export class FilesystemController {
  constructor(private readonly workspaces: Workspaces) {}

  @Endpoint({
    ...common,
    method: 'GET',
    path: 'files/*path',
    summary: 'Read a file',
    query: ReadQuery,
    response: readFile.output,
    errors: ['NOT_FOUND', 'ACCESS_DENIED', 'AGENT_UNAVAILABLE'],
  })
  read({ params, query, accountId }: Call<Params, z.output<typeof ReadQuery>>) {
    return this.workspaces.request(accountId, readFile, { agentId: params.id, path: params.path, ...query });
  }

  @Endpoint({
    ...common,
    method: 'POST',
    path: 'files/*path',
    summary: 'Create a file',
    body: NewFile,
    response: writeFile.output,
    status: 201,
    errors: ['NOT_FOUND', 'ACCESS_DENIED', 'ALREADY_EXISTS', 'AGENT_UNAVAILABLE', 'INSUFFICIENT_STORAGE'],
  })
  create({ params, body, accountId }: Call<Params, unknown, z.output<typeof NewFile>>) {
    return this.workspaces.request(accountId, writeFile, { agentId: params.id, path: params.path, ...body });
  }
}
