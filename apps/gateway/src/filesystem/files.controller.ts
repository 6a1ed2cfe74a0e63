import { deleteFile, readFile, RoostError, WrittenFile } from '#lib/contracts';
import { Content, MAX_JSON_CONTENT_BYTES, Workspaces } from '#lib/workspace-client';
import { Controller, Delete, Get, Patch, Post, Put, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { lookup } from 'mime-types';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { z } from 'zod';
import type { Identity } from '../accounts/identity.js';
import { Body, BodyStream, Caller, Param, Query } from '../http/arguments.js';
import { Endpoint, Tag } from '../http/endpoint.js';
import { FileParams } from '../http/params.js';
import { CreateQuery, FilePatch, NewContent, NewFile, ReadQuery, Updated } from './file-schemas.js';
import { parseRange } from './range.js';

type FileContent = z.output<typeof readFile.output>;
/** Where a file is. */
type Location = FileParams & { accountId: string };
/** Large content comes as a stream of any type but JSON. */
const accepts = ['json', 'stream'] as const;

/** In ASCII for old programs, and as it is (RFC 6266, RFC 8187). */
function savedAs(path: string): string {
  const name = path.split('/').findLast(Boolean) ?? 'file';
  const exact = encodeURIComponent(name).replace(/['()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16)}`);
  return `attachment; filename="${name.replace(/[^\w.-]/g, '_')}"; filename*=UTF-8''${exact}`;
}

/** spec: filesystem.md, files */
@Tag('Filesystem')
@Controller('v1/agent/:id/filesystem')
export class FilesController {
  constructor(
    private readonly workspaces: Workspaces,
    private readonly content: Content,
  ) {}

  @Get('files/*')
  @Endpoint({
    access: 'account',
    summary: 'Read a file; with Accept: application/octet-stream its raw bytes, with Range a part of them',
    description:
      'Without more: JSON with the content as text, up to 10 MiB (413 beyond); `offset` and `length` read a part. Bytes that are not UTF-8 are 400: ask for `encoding=base64`. With `Accept: application/octet-stream` the bytes themselves, of any size, with `ETag` and `Range`; with `download=true`, too, and with the name to save it by in `Content-Disposition`. A sleeping workspace is woken.',
    requestHeaders: ['Range', 'IfRange', 'IfNoneMatch'],
    responseHeaders: ['ETag'],
    responseDescription: 'The file. `ETag` and `Content-Type` of the file come with the raw bytes.',
    responseContent: { 'application/octet-stream': { schema: { description: 'The bytes of the file.' } } },
    isDownload: true,
    response: readFile.output,
    errors: ['NOT_FOUND', 'ACCESS_DENIED', 'PAYLOAD_TOO_LARGE', 'RANGE_NOT_SATISFIABLE', 'AGENT_UNAVAILABLE'],
  })
  async read(
    @Param(FileParams) { id, path }: FileParams,
    @Query(ReadQuery) { download, ...query }: ReadQuery,
    @Caller() { accountId }: Identity,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const isSaved = download === 'true';
    if (isSaved || request.headers.accept?.includes('application/octet-stream'))
      return this.sendRaw({ accountId, id, path }, isSaved, request, reply);
    try {
      void reply.send(await this.workspaces.request(accountId, readFile, { agentId: id, path, ...query }));
    } catch (error) {
      if (!(error instanceof RoostError) || error.code !== 'PAYLOAD_TOO_LARGE') throw error;
      void reply.send(await this.readInParts({ accountId, id, path }, query));
    }
  }

  @Post('files/*')
  @Endpoint({
    access: 'account',
    summary: 'Create a file from JSON, or from a raw body of up to 1 GiB with content-type: application/octet-stream',
    description:
      'Folders on the way are made. A file that exists is 409, unless `overwrite` is given (in the body or, for raw bodies, in the query). What is written appears when it is whole. JSON takes 10 MiB of content. A full volume is 507, and nothing is changed.',
    responseDescription: 'The file was written.',
    accepts,
    mayHoldNul: ['content'],
    response: WrittenFile,
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
  create(
    @Param(FileParams) { id, path }: FileParams,
    @Query(CreateQuery) query: CreateQuery,
    @Body(NewFile) body: NewFile,
    @BodyStream() stream: Readable | undefined,
    @Caller() { accountId }: Identity,
  ) {
    const target = { path, target: 'file' as const, overwrite: query.overwrite === 'true' };
    if (stream) return this.content.write(accountId, id, target, stream);
    const { content, encoding, overwrite } = body;
    const written = { ...target, overwrite: overwrite || target.overwrite };
    return this.content.writeText(accountId, id, written, content, encoding);
  }

  @Put('files/*')
  @Endpoint({
    access: 'account',
    summary: 'Replace a file in one step; with If-Match only if it has not changed',
    description:
      'The file must exist (404). It holds the old content or the new one, never a part. Takes JSON or raw bytes as creating does.',
    requestHeaders: ['IfMatch'],
    responseHeaders: ['ETag'],
    responseDescription: 'The file was replaced.',
    accepts,
    mayHoldNul: ['content'],
    response: Updated,
    errors: [
      'NOT_FOUND',
      'ACCESS_DENIED',
      'PRECONDITION_FAILED',
      'PAYLOAD_TOO_LARGE',
      'AGENT_UNAVAILABLE',
      'INSUFFICIENT_STORAGE',
    ],
  })
  async replace(
    @Param(FileParams) { id, path }: FileParams,
    @Body(NewContent) body: NewContent,
    @BodyStream() stream: Readable | undefined,
    @Caller() { accountId }: Identity,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const ifMatch = ifMatchOf(request.headers['if-match']);
    const target = { path, target: 'file' as const, overwrite: true, mustExist: true, ifMatch };
    const written = stream
      ? await this.content.write(accountId, id, target, stream)
      : await this.content.writeText(accountId, id, target, body.content, body.encoding);
    return updated(written, reply);
  }

  @Patch('files/*')
  @Endpoint({
    access: 'account',
    summary: 'Change a part of a file',
    description:
      '`append` and `prepend` add; `replace` puts the content in the place of `length` bytes at `position`. In one step, as replacing does.',
    requestHeaders: ['IfMatch'],
    responseHeaders: ['ETag'],
    responseDescription: 'The file was changed.',
    mayHoldNul: ['content'],
    response: Updated,
    errors: [
      'NOT_FOUND',
      'ACCESS_DENIED',
      'PRECONDITION_FAILED',
      'PAYLOAD_TOO_LARGE',
      'AGENT_UNAVAILABLE',
      'INSUFFICIENT_STORAGE',
    ],
  })
  async patch(
    @Param(FileParams) { id, path }: FileParams,
    @Body(FilePatch) body: FilePatch,
    @Caller() { accountId }: Identity,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const ifMatch = ifMatchOf(request.headers['if-match']);
    const { content, encoding, ...patch } = body;
    const target = { path, ifMatch, ...patch };
    const written = await this.content.patchText(accountId, id, target, content, encoding);
    return updated(written, reply);
  }

  @Delete('files/*')
  @Endpoint({
    access: 'account',
    summary: 'Delete a file',
    description: 'A directory is 400: use `DELETE …/directories/{path}`.',
    requestHeaders: ['IfMatch'],
    responseDescription: 'It is deleted.',
    response: deleteFile.output,
    errors: ['NOT_FOUND', 'ACCESS_DENIED', 'PRECONDITION_FAILED', 'AGENT_UNAVAILABLE'],
  })
  remove(
    @Param(FileParams) { id, path }: FileParams,
    @Caller() { accountId }: Identity,
    @Req() request: FastifyRequest,
  ) {
    return this.workspaces.request(accountId, deleteFile, {
      agentId: id,
      path,
      ifMatch: ifMatchOf(request.headers['if-match']),
    });
  }

  private async sendRaw(
    { accountId, id, path }: Location,
    isSaved: boolean,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<void> {
    const { headers } = request;
    // Compression passes bytes on that look compressed, under a name that is not theirs: browsers could not read them.
    headers['x-no-compression'] = 'raw bytes';
    const source = { path, source: 'file' as const };
    const whole = await this.content.read(accountId, id, { ...source, offset: 0 });
    const { etag, modifiedAt } = whole.about;
    const size = whole.about.size ?? 0;
    const isSame = headers['if-range'] === undefined || headers['if-range'] === `"${etag}"`;
    const isKnown = headers['if-none-match'] === `"${etag}"`;
    const range = isSame && !isKnown ? rangeOrClose(headers.range, size, whole.bytes) : undefined;
    void reply.headers({
      etag: `"${etag}"`,
      'last-modified': modifiedAt.toUTCString(),
      'accept-ranges': 'bytes',
      // The bytes are the agent's: no browser may take them for a page of ours.
      'x-content-type-options': 'nosniff',
      'content-security-policy': 'sandbox',
      ...(isSaved ? { 'content-disposition': savedAs(path) } : {}),
    });
    if (isKnown || range) whole.bytes.destroy();
    if (isKnown) {
      void reply.status(304).send();
      return;
    }
    void reply.type(lookup(path) || 'application/octet-stream').header('content-length', range?.length ?? size);
    if (!range) {
      void reply.status(200).send(whole.bytes);
      return;
    }
    const part = await this.content.read(accountId, id, { ...source, ...range });
    const last = range.offset + range.length - 1;
    void reply.status(206).header('content-range', `bytes ${range.offset}-${last}/${size}`).send(part.bytes);
  }

  private async readInParts(
    { accountId, id, path }: Location,
    query: Omit<ReadQuery, 'download'>,
  ): Promise<FileContent> {
    const { offset = 0, length, encoding } = query;
    const { about, bytes } = await this.content.read(accountId, id, {
      path,
      source: 'file',
      offset,
      ...(length === undefined ? {} : { length }),
    });
    if (Math.min(length ?? Infinity, (about.size ?? 0) - offset) > MAX_JSON_CONTENT_BYTES) {
      bytes.destroy();
      throw new RoostError(
        'PAYLOAD_TOO_LARGE',
        'the file is larger than 10 MiB: ask for a part with offset and length, or for its bytes with accept: application/octet-stream',
        [{ field: 'length', reason: 'too_large', max: MAX_JSON_CONTENT_BYTES }],
      );
    }
    const content = encode(await buffer(bytes), encoding);
    return {
      path: about.path,
      content,
      encoding,
      size: about.size ?? 0,
      modifiedAt: about.modifiedAt,
      etag: about.etag,
    };
  }
}

/** What was written, with its etag where the next `If-Match` is looked for: in the header, and in the body. */
function updated(written: z.output<typeof WrittenFile>, reply: FastifyReply): z.output<typeof Updated> {
  const { path, size, createdAt, etag } = written;
  if (etag !== undefined) void reply.header('etag', `"${etag}"`);
  return { path, size, updatedAt: createdAt, etag };
}

function rangeOrClose(header: string | undefined, size: number, bytes: Readable) {
  try {
    return parseRange(header, size);
  } catch (error) {
    bytes.destroy();
    throw error;
  }
}

function encode(bytes: Buffer, encoding: 'utf-8' | 'base64'): string {
  if (encoding === 'base64') return bytes.toString('base64');
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new RoostError('VALIDATION_ERROR', 'encoding: the file is not UTF-8 text; use base64', [
      { field: 'encoding', reason: 'not_utf8' },
    ]);
  }
}

/** `"etag"` or `*`; a weak one matches nothing here, as RFC 9110 13.1.1 has it. */
function ifMatchOf(header: string | undefined): string | undefined {
  return header === undefined ? undefined : header.trim().replace(/^"(.*)"$/, '$1');
}
