import { validationError } from '#lib/bus';
import { RoostError } from '#lib/contracts';
import { Readable } from 'node:stream';
import { z } from 'zod';
import type { Call, CallingRequest, EndpointDefinition } from './endpoint.js';
import { limitBytes } from './limit-bytes.js';

const GIBIBYTE = 1024 ** 3;
const MAX_RAW_BYTES = 1024 ** 2;
const Nothing = z.strictObject({});

/**
 * The body in the form that the endpoint declares.
 * Errors: VALIDATION_ERROR, UNSUPPORTED_MEDIA_TYPE, PAYLOAD_TOO_LARGE.
 */
export async function readBody(
  definition: EndpointDefinition,
  request: CallingRequest,
): Promise<Pick<Call, 'body' | 'rawBody' | 'stream'>> {
  const accepts = definition.accepts ?? ['json'];
  const sent = request.body;
  if (sent instanceof Readable) {
    if (accepts.includes('raw')) {
      const chunks: Buffer[] = [];
      for await (const chunk of limitBytes(sent, MAX_RAW_BYTES)) chunks.push(chunk as Buffer);
      return { body: undefined, rawBody: Buffer.concat(chunks), stream: undefined };
    }
    if (!accepts.includes('stream'))
      throw new RoostError('UNSUPPORTED_MEDIA_TYPE', 'the body must be JSON: send content-type: application/json');
    const stream = limitBytes(sent, definition.maxStreamBytes ?? GIBIBYTE);
    return { body: undefined, rawBody: undefined, stream };
  }
  const whole = { rawBody: request.rawBody, stream: undefined };
  if (accepts.includes('raw')) {
    if ((request.rawBody?.length ?? 0) > MAX_RAW_BYTES)
      throw new RoostError('PAYLOAD_TOO_LARGE', 'the body is larger than 1 MiB');
    return { body: sent, ...whole };
  }
  // `{}` where nothing is expected is what many clients send with every POST.
  const parsed = (definition.body ?? Nothing).safeParse(sent === undefined ? {} : sent);
  if (!parsed.success) throw validationError(parsed.error);
  return { body: parsed.data, ...whole };
}
