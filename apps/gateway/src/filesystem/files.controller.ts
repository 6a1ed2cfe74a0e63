import { Count, deleteFile, readFile, RoostError, Timestamp, wire, WrittenFile } from '#lib/contracts';
import { Content, MAX_JSON_CONTENT_BYTES, Workspaces } from '#lib/workspace-files';
import { Controller } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { lookup } from 'mime-types';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { z } from 'zod';
import { type Call, Endpoint, HANDLED, type Handled } from '../http/endpoint.js';
import { FileParams } from '../http/params.js';
import { parseRange } from './range.js';

type FileContent = z.output<typeof readFile.output>;
type Params = z.output<typeof FileParams>;
const common = { access: 'account', tag: 'Filesystem', params: FileParams } as const;
/** Large content comes as a stream of any type but JSON. */
const accepts = ['json', 'stream'] as const;

const Encoding = z.enum(['utf-8', 'base64']).default('utf-8');
const Bytes = z.coerce.number<number | string>().int().min(0);
const Flag = z.enum(['true', 'false']).default('false');
const ReadQuery = wire({ encoding: Encoding, offset: Bytes.optional(), length: Bytes.optional() });
const CreateQuery = wire({ overwrite: Flag });
const NewFile = wire({ content: z.string(), encoding: Encoding, overwrite: z.boolean().default(false) });
const NewContent = wire({ content: z.string(), encoding: Encoding });
const Patch = wire({
  operation: z.enum(['append', 'prepend', 'replace']),
  content: z.string(),
  encoding: Encoding,
  position: Count.optional(),
  length: Count.optional(),
});
const Updated = wire({ path: z.string(), size: Count, updatedAt: Timestamp, etag: z.string().optional() });

/** spec: filesystem.md, files */
@Controller('v1/agent/:id/filesystem')
export class FilesController {
  constructor(
    private readonly workspaces: Workspaces,
    private readonly content: Content,
  ) {}

  @Endpoint({
    ...common,
    method: 'GET',
    path: 'files/*path',
    isDownload: true,
    summary: 'Read a file; with Accept: application/octet-stream its raw bytes, with Range a part of them',
    query: ReadQuery,
    response: readFile.output,
    errors: ['NOT_FOUND', 'ACCESS_DENIED', 'PAYLOAD_TOO_LARGE', 'RANGE_NOT_SATISFIABLE', 'AGENT_UNAVAILABLE'],
  })
  async read(call: Call<Params, z.output<typeof ReadQuery>>): Promise<FileContent | Handled> {
    const { params, query, accountId, request } = call;
    if (request.headers.accept?.includes('application/octet-stream')) return this.readRaw(call);
    const input = { agentId: params.id, path: params.path, ...query };
    try {
      return await this.workspaces.request(accountId, readFile, input);
    } catch (error) {
      if (!(error instanceof RoostError) || error.code !== 'PAYLOAD_TOO_LARGE') throw error;
    }
    return this.readInParts(call);
  }

  @Endpoint({
    ...common,
    method: 'POST',
    path: 'files/*path',
    summary: 'Create a file from JSON, or from a raw body of up to 1 GiB with content-type: application/octet-stream',
    accepts,
    query: CreateQuery,
    body: NewFile,
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
  create({
    params,
    query,
    body,
    stream,
    accountId,
  }: Call<Params, z.output<typeof CreateQuery>, z.output<typeof NewFile>>) {
    const target = { path: params.path, target: 'file' as const, overwrite: query.overwrite === 'true' };
    if (stream) return this.content.write(accountId, params.id, target, stream);
    const { content, encoding, overwrite } = body;
    const written = { ...target, overwrite: overwrite || target.overwrite };
    return this.content.writeText(accountId, params.id, written, content, encoding);
  }

  @Endpoint({
    ...common,
    method: 'PUT',
    path: 'files/*path',
    summary: 'Replace a file in one step; with If-Match only if it has not changed',
    accepts,
    body: NewContent,
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
  async replace({
    params,
    body,
    stream,
    accountId,
    request,
    reply,
  }: Call<Params, unknown, z.output<typeof NewContent>>) {
    const ifMatch = ifMatchOf(request.headers['if-match']);
    const target = { path: params.path, target: 'file' as const, overwrite: true, mustExist: true, ifMatch };
    const written = stream
      ? await this.content.write(accountId, params.id, target, stream)
      : await this.content.writeText(accountId, params.id, target, body.content, body.encoding);
    return updated(written, reply);
  }

  @Endpoint({
    ...common,
    method: 'PATCH',
    path: 'files/*path',
    summary: 'Change a part of a file',
    body: Patch,
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
  async patch({ params, body, accountId, request, reply }: Call<Params, unknown, z.output<typeof Patch>>) {
    const ifMatch = ifMatchOf(request.headers['if-match']);
    const { content, encoding, ...patch } = body;
    const target = { path: params.path, ifMatch, ...patch };
    const written = await this.content.patchText(accountId, params.id, target, content, encoding);
    return updated(written, reply);
  }

  @Endpoint({
    ...common,
    method: 'DELETE',
    path: 'files/*path',
    summary: 'Delete a file',
    response: deleteFile.output,
    errors: ['NOT_FOUND', 'ACCESS_DENIED', 'PRECONDITION_FAILED', 'AGENT_UNAVAILABLE'],
  })
  remove({ params, accountId, request }: Call<Params>) {
    return this.workspaces.request(accountId, deleteFile, {
      agentId: params.id,
      path: params.path,
      ifMatch: ifMatchOf(request.headers['if-match']),
    });
  }

  private async readRaw({ params, accountId, request, reply }: Call<Params>): Promise<Handled> {
    const { headers } = request;
    const source = { path: params.path, source: 'file' as const };
    const whole = await this.content.read(accountId, params.id, { ...source, offset: 0 });
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
    });
    if (isKnown || range) whole.bytes.destroy();
    if (isKnown) {
      void reply.status(304).send();
      return HANDLED;
    }
    void reply.type(lookup(params.path) || 'application/octet-stream').header('content-length', range?.length ?? size);
    if (!range) {
      void reply.status(200).send(whole.bytes);
      return HANDLED;
    }
    const part = await this.content.read(accountId, params.id, { ...source, ...range });
    const last = range.offset + range.length - 1;
    void reply.status(206).header('content-range', `bytes ${range.offset}-${last}/${size}`).send(part.bytes);
    return HANDLED;
  }

  private async readInParts({
    params,
    query,
    accountId,
  }: Call<Params, z.output<typeof ReadQuery>>): Promise<FileContent> {
    const { offset = 0, length, encoding } = query;
    const { about, bytes } = await this.content.read(accountId, params.id, {
      path: params.path,
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
