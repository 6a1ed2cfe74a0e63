import { Count, RoostError, wire } from '#lib/contracts';
import { Content } from '#lib/workspace-client';
import { Controller, Get, Post, Req, Res } from '@nestjs/common';
import type { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Identity } from '../accounts/identity.js';
import { BodyStream, Caller, Param, Query } from '../http/arguments.js';
import { Endpoint, Tag } from '../http/endpoint.js';
import { FileParams } from '../http/params.js';

const Format = z.enum(['tar.gz', 'zip']);
const PackQuery = wire({ format: Format.default('tar.gz').describe('How it is packed.') });
type PackQuery = z.output<typeof PackQuery>;
const UnpackQuery = wire({
  format: Format.optional().describe('How it is packed; by the `Content-Type` if not given.'),
  overwrite: z.enum(['true', 'false']).default('false').describe('Whether files that exist may be replaced.'),
});
type UnpackQuery = z.output<typeof UnpackQuery>;
const PACKED = { schema: { description: 'The archive.' } };
const ARCHIVE = { 'application/gzip': PACKED, 'application/zip': PACKED };
const types = { 'tar.gz': 'application/gzip', zip: 'application/zip' };

/** spec: filesystem.md, archive */
@Tag('Filesystem')
@Controller('v1/agent/:id/filesystem')
export class ArchiveController {
  constructor(private readonly content: Content) {}

  @Get('archive/*')
  @Endpoint({
    access: 'account',
    summary: 'Download a directory as an archive',
    description: 'The whole tree below it, as it is while it is read. An empty path is the whole workspace.',
    responseDescription: 'The archive, with a name in `Content-Disposition`.',
    responseContent: ARCHIVE,
    isDownload: true,
    errors: ['NOT_FOUND', 'ACCESS_DENIED', 'AGENT_UNAVAILABLE'],
  })
  async pack(
    @Param(FileParams) { id, path }: FileParams,
    @Query(PackQuery) query: PackQuery,
    @Caller() { accountId }: Identity,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { bytes } = await this.content.read(accountId, id, {
      path,
      source: query.format,
      offset: 0,
    });
    const name = (path.split('/').filter(Boolean).at(-1) ?? 'workspace').replace(/[^\w.-]/g, '_');
    void reply
      .type(types[query.format])
      .header('content-disposition', `attachment; filename="${name}.${query.format}"`)
      .send(bytes);
  }

  @Post('archive/*')
  @Endpoint({
    access: 'account',
    summary: 'Unpack a tar.gz or zip into a directory: all of it, or nothing',
    description:
      'The body is the archive, with `Content-Type: application/gzip` or `application/zip`; up to 1 GiB. Entries that would lie outside the directory, links out of it and archive bombs are 400, and nothing is written. A file that exists is 409 unless `overwrite=true`.',
    responseDescription: 'It is unpacked.',
    accepts: ['stream'],
    response: wire({
      files: Count.describe('How many files were written.'),
      bytes: Count.describe('Their size together, in bytes.'),
    }),
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
  async unpack(
    @Param(FileParams) { id, path }: FileParams,
    @Query(UnpackQuery) query: UnpackQuery,
    @BodyStream() stream: Readable | undefined,
    @Caller() { accountId }: Identity,
    @Req() request: FastifyRequest,
  ) {
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
      id,
      { path, target, overwrite: query.overwrite === 'true' },
      stream,
    );
    return { files: written.files, bytes: written.size };
  }
}
