import { Transform, type Readable, type TransformCallback } from 'node:stream';
import { PLACEHOLDER_PREFIX } from '#lib/contracts';
import { Refusal } from './authorize.js';

/** Of bodies that are read whole before anything of the request is sent. */
export const maxWholeBytes = 1024 * 1024;
const prefix = Buffer.from(PLACEHOLDER_PREFIX);
const message = 'The body holds a placeholder, and no secret of this agent may be put in the body of this request.';

/** Lets a body pass in which no placeholder is; none that is cut by chunks passes either. */
export class WithoutPlaceholders extends Transform {
  private held: Buffer = Buffer.alloc(0);

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    const bytes = this.held.length > 0 ? Buffer.concat([this.held, chunk]) : chunk;
    if (bytes.includes(prefix)) return done(new Refusal(message));
    const kept = beginningAtEnd(bytes);
    this.held = bytes.subarray(bytes.length - kept);
    done(null, bytes.subarray(0, bytes.length - kept));
  }

  override _flush(done: TransformCallback): void {
    done(null, this.held);
  }
}

function beginningAtEnd(bytes: Buffer): number {
  for (let length = Math.min(prefix.length - 1, bytes.length); length > 0; length -= 1)
    if (bytes.compare(prefix, 0, length, bytes.length - length) === 0) return length;
  return 0;
}

/** Errors: `Refusal` where it is larger than what is read whole. */
export async function wholeBody(source: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of source) {
    size += (chunk as Buffer).length;
    if (size > maxWholeBytes)
      throw new Refusal(`Bodies in which secrets are put, or that are signed, may have ${maxWholeBytes} bytes.`);
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

/** Errors: `Refusal` for a placeholder that is not among these. */
export async function replaceInBody(body: Buffer, values: Map<string, () => Promise<string>>): Promise<Buffer> {
  if (!body.includes(prefix)) return body;
  let text = body.toString('latin1');
  for (const [placeholder, valueOf] of values)
    if (text.includes(placeholder))
      text = text.replaceAll(placeholder, Buffer.from(await valueOf()).toString('latin1'));
  if (text.includes(PLACEHOLDER_PREFIX)) throw new Refusal(message);
  return Buffer.from(text, 'latin1');
}
