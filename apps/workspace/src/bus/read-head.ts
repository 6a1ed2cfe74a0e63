import type { Readable } from 'node:stream';

/**
 * Reads a stream up to the first `end` and gives the text before it; what follows stays in the stream.
 * Errors: when the stream ends sooner, or nothing of the kind comes within `maxBytes`; `what` names it.
 */
export async function readHead(stream: Readable, end: string, maxBytes: number, what: string): Promise<string> {
  let read = Buffer.alloc(0);
  for (;;) {
    const chunk = stream.read() as Buffer | null;
    if (chunk === null) {
      if (stream.readableEnded || stream.destroyed) throw new Error(`the stream ended before ${what} did`);
      await moreOrEnd(stream);
      continue;
    }
    read = Buffer.concat([read, chunk]);
    const at = read.indexOf(end);
    if (at >= 0) {
      stream.unshift(read.subarray(at + end.length));
      return read.subarray(0, at).toString('utf8');
    }
    if (read.length > maxBytes) throw new Error(`${what} is too long`);
  }
}

function moreOrEnd(stream: Readable): Promise<void> {
  return new Promise((resolve) => {
    const go = () => {
      stream.off('readable', go).off('end', go).off('close', go);
      resolve();
    };
    stream.on('readable', go).on('end', go).on('close', go);
  });
}
