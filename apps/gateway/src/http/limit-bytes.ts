import { RoostError } from '#lib/contracts';
import { type Readable, Transform } from 'node:stream';

/** Passes a stream on until it has become longer than `maxBytes`, then fails it with PAYLOAD_TOO_LARGE. */
export function limitBytes(source: Readable, maxBytes: number): Readable {
  let bytes = 0;
  const limited = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes > maxBytes) done(new RoostError('PAYLOAD_TOO_LARGE', `the body is longer than ${maxBytes} bytes`));
      else done(null, chunk);
    },
  });
  source.once('error', (error) => limited.destroy(error));
  // A caller that hangs up ends its stream without an error.
  source.once('close', () => {
    if (!source.readableEnded) limited.destroy(new RoostError('VALIDATION_ERROR', 'the body ended too early'));
  });
  return source.pipe(limited);
}
