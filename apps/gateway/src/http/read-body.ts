import { MAX_DOCUMENT_BYTES, RoostError } from '#lib/contracts';
import type { FastifyInstance } from 'fastify';
import { Readable } from 'node:stream';
import { endpointOf } from './endpoint.js';
import { limitBytes } from './limit-bytes.js';
import { type ApiRequest, STREAMED } from './request.js';
import { readYaml } from './yaml.js';

const GIBIBYTE = 1024 ** 3;
const MAX_RAW_BYTES = 1024 ** 2;
/** RFC 9512, and what was used before it. */
const YAML = /^\s*(?:application|text)\/(?:x-)?yaml\s*(?:;|$)/i;

/**
 * Gives endpoints that take bytes or a stream what they take; a stream that an endpoint does not take stays the body,
 * for the pipe to refuse. Errors: PAYLOAD_TOO_LARGE.
 */
export function addBodyForms(server: FastifyInstance): void {
  server.addHook('preHandler', (request: ApiRequest, _reply, done) => {
    const { body } = request;
    const endpoint = endpointOf(request.routeOptions);
    if (endpoint?.accepts?.includes('raw')) return void readRaw(request).then(() => done(), done);
    if (endpoint?.accepts?.includes('yaml')) return void readDocument(request).then(() => done(), done);
    if (body instanceof Readable && endpoint?.accepts?.includes('stream')) {
      // Whoever reads it sees its failure; where the request is refused before, it must not end the process.
      request.bodyStream = limitBytes(body, endpoint.maxStreamBytes ?? GIBIBYTE).on('error', () => undefined);
      request.body = STREAMED;
    }
    done();
  });
}

/** JSON was parsed where it arrived; anything that is neither stays a stream, for the pipe to refuse. */
async function readDocument(request: ApiRequest): Promise<void> {
  if (request.body instanceof Readable) {
    if (!YAML.test(request.headers['content-type'] ?? '')) return;
    request.body = readYaml(await bytesOf(request.body, MAX_DOCUMENT_BYTES));
  } else if ((request.rawBody?.length ?? 0) > MAX_DOCUMENT_BYTES) {
    throw new RoostError('PAYLOAD_TOO_LARGE', `the body is larger than ${MAX_DOCUMENT_BYTES} bytes`);
  }
}

async function bytesOf(body: Readable, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of limitBytes(body, maxBytes)) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function readRaw(request: ApiRequest): Promise<void> {
  if (request.body instanceof Readable) {
    request.rawBody = await bytesOf(request.body, MAX_RAW_BYTES);
  } else if ((request.rawBody?.length ?? 0) > MAX_RAW_BYTES) {
    throw new RoostError('PAYLOAD_TOO_LARGE', 'the body is larger than 1 MiB');
  }
}
