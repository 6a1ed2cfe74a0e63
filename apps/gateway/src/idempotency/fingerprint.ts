import { createHash, type Hash } from 'node:crypto';
import { type Readable, Transform } from 'node:stream';
import type { ApiRequest } from '../http/request.js';

export interface Fingerprint {
  /** Known before the body is. */
  begun: string;
  /** Of the request with its whole body; reads what is left of it. */
  whole(): Promise<string>;
  /** To be read in place of the request's. */
  stream: Readable | undefined;
}

/** Distinguishes requests by method, address and body. */
export function fingerprintOf({ method, url, rawBody, bodyStream }: ApiRequest): Fingerprint {
  const hash = createHash('sha256').update(`${method} ${url}\n`);
  if (!bodyStream) {
    const fingerprint = hash.update(rawBody ?? '').digest('base64url');
    return { begun: fingerprint, whole: () => Promise.resolve(fingerprint), stream: undefined };
  }
  const hashed = hashing(bodyStream, hash);
  let whole: Promise<string> | undefined;
  return {
    begun: `stream:${hash.copy().digest('base64url')}`,
    whole: () => (whole ??= drained(hashed).then(() => hash.digest('base64url'))),
    stream: hashed,
  };
}

function hashing(source: Readable, hash: Hash): Readable {
  const hashed = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  source.once('error', (error) => hashed.destroy(error));
  // Whoever reads it sees the failure; where nobody reads any more it must not end the process.
  hashed.on('error', () => undefined);
  return source.pipe(hashed);
}

async function drained(stream: Readable): Promise<void> {
  if (stream.readableEnded || stream.destroyed) return;
  for await (const _ of stream);
}
