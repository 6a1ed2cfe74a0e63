import { Count, RoostError, wire } from '#lib/contracts';
import { Content } from '#lib/workspace-files';
import { Controller } from '@nestjs/common';
import { z } from 'zod';
import { type Call, Endpoint, HANDLED } from '../http/endpoint.js';
import { FileParams } from '../http/params.js';

type Params = z.output<typeof FileParams>;
const common = { access: 'account', tag: 'Filesystem', params: FileParams } as const;
const Format = z.enum(['tar.gz', 'zip']);
const PackQuery = wire({ format: Format.default('tar.gz') });
const UnpackQuery = wire({ format: Format.optional(), overwrite: z.enum(['true', 'false']).default('false') });
const types = { 'tar.gz': 'application/gzip', zip: 'application/zip' };

/** spec: filesystem.md, archive */
@Controller('v1/agent/:id/filesystem')
export class ArchiveController {
  constructor(private readonly content: Content) {}

  @Endpoint({
    ...common,
    method: 'GET',
    path: 'archive/*path',
    isDownload: true,
    summary: 'Download a directory as an archive',
    query: PackQuery,
    errors: ['NOT_FOUND', 'ACCESS_DENIED', 'AGENT_UNAVAILABLE'],
  })
  async pack({ params, query, accountId, reply }: Call<Params, z.output<typeof PackQuery>>) {
    const { bytes } = await this.content.read(accountId, params.id, {
      path: params.path,
      source: query.format,
      offset: 0,
    });
    const name = (params.path.split('/').filter(Boolean).at(-1) ?? 'workspace').replace(/[^\w.-]/g, '_');
    void reply
      .type(types[query.format])
      .header('content-disposition', `attachment; filename="${name}.${query.format}"`)
      .send(bytes);
    return HANDLED;
  }

  @Endpoint({
    ...common,
    method: 'POST',
    path: 'archive/*path',
    summary: 'Unpack a tar.gz or zip into a directory: all of it, or nothing',
    accepts: ['stream'],
    query: UnpackQuery,
    response: wire({ files: Count, bytes: Count }),
    status: 201,
    errors: [
      'NOT_FOUND',
      'ACCESS_DENIED',
      'ALREADY_EXISTS',
      'PAYLOAD_TOO_LARGE',
      'AGENT_UNAVAILABLE',
      'INSUFFICIENT_STORAGE',
    ],
  })
  async unpack({ params, query, stream, accountId, request }: Call<Params, z.output<typeof UnpackQuery>>) {
    if (!stream) {
      throw new RoostError(
        'UNSUPPORTED_MEDIA_TYPE',
        'send the archive as the body, with content-type: application/gzip or application/zip',
      );
    }
    const target =
      query.format ??
      (request.headers['content-type']?.includes('zip') && !request.headers['content-type'].includes('gzip')
        ? 'zip'
        : 'tar.gz');
    const written = await this.content.write(
      accountId,
      params.id,
      { path: params.path, target, overwrite: query.overwrite === 'true' },
      stream,
    );
    return { files: written.files, bytes: written.size };
  }
}
