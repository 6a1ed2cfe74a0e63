import type { IncomingMessage } from 'node:http';
import type { Readable, Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib';
import { Scrubber } from '#lib/secret-scrub';

/** Of what is no text, so much is read. Larger binaries pass as they are. */
const maxBinaryBytes = 1024 * 1024;
const textTypes =
  /^(text\/|application\/(.*\+)?(json|xml|javascript|x-ndjson|yaml|x-yaml|x-www-form-urlencoded|graphql)|multipart\/)/i;

const decoders: Record<string, () => Transform> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
};

export interface BodyForm {
  type: string | undefined;
  encoding: string | undefined;
  length: number | undefined;
  /** `Transfer-Encoding` of HTTP/1.1. */
  transfer?: string | undefined;
}

/** Of an answer of HTTP/1.1. */
export const formOf = ({ headers }: IncomingMessage): BodyForm => ({
  type: headers['content-type'],
  encoding: headers['content-encoding'],
  length: headers['content-length'] === undefined ? undefined : Number(headers['content-length']),
  transfer: headers['transfer-encoding'],
});

/** The steps from a body as it was sent to one without secrets; undefined: its encoding is unknown, it may not pass. */
export function scrubbing(needles: Buffer[], { type, encoding, length, transfer }: BodyForm): Transform[] | undefined {
  if (needles.length === 0) return [];
  // Compressed on the way, which is taken off by nobody: it is never asked for.
  if (transfer !== undefined && transfer.toLowerCase() !== 'chunked') return undefined;
  const names = (encoding ?? '').split(',').map((name) => name.trim().toLowerCase());
  const encodings = names.filter((name) => name !== '' && name !== 'identity');
  const steps = encodings.reverse().map((name) => decoders[name]?.());
  // One inside the other twice is what nobody sends who means well.
  if (steps.length > 1 || steps.includes(undefined)) return undefined;
  const isText = type === undefined || textTypes.test(type);
  if (!isText && (length ?? 0) > maxBinaryBytes) return [];
  return [...(steps as Transform[]), new Scrubber(needles, isText ? Infinity : maxBinaryBytes)];
}

/** All steps one behind the other; an error of any ends the last. */
export function through(source: Readable, steps: Transform[]): Readable {
  return steps.reduce<Readable>((from, to) => {
    from.once('error', (error) => to.destroy(error));
    from.once('close', () => {
      if (!from.readableEnded) to.destroy();
    });
    return from.pipe(to);
  }, source);
}
