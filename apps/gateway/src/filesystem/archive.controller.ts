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
const PackQuery = wire({ format: Format.default('tar.gz') });
type PackQuery = z.output<typeof PackQuery>;
const UnpackQuery = wire({ format: Format.optional(), overwrite: z.enum(['true', 'false']).default('false') });
type UnpackQuery = z.output<typeof UnpackQuery>;
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
    accepts: ['stream'],
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
