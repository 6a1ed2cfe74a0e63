import { Transform, type TransformCallback } from 'node:stream';
import { markOf } from './needles.js';

/**
 * Overwrites secrets in what passes, also where chunks cut them: of each chunk only what could be the beginning of one
 * waits for the next, so that events and messages pass at once. Length never changes.
 */
export class ByteScrubber {
  private held: Buffer = Buffer.alloc(0);
  private passed = 0;

  /** After `maxBytes` everything passes unread. */
  constructor(
    private readonly needles: Buffer[],
    private readonly maxBytes = Infinity,
  ) {}

  /** What may go on of this chunk, and of those before it. */
  push(chunk: Buffer): Buffer {
    if (this.passed > this.maxBytes && this.held.length === 0) return chunk;
    const bytes = this.held.length > 0 ? Buffer.concat([this.held, chunk]) : chunk;
    const clean = this.clean(bytes);
    const kept = this.passed > this.maxBytes ? 0 : this.beginningAtEnd(clean);
    this.held = clean.subarray(clean.length - kept);
    this.passed += clean.length - kept;
    return clean.subarray(0, clean.length - kept);
  }

  /** The rest, when no more comes. */
  end(): Buffer {
    return this.held;
  }

  private clean(bytes: Buffer): Buffer {
    let copy: Buffer | undefined;
    for (const needle of this.needles) {
      for (let at = bytes.indexOf(needle); at >= 0; at = (copy ?? bytes).indexOf(needle, at + needle.length)) {
        copy ??= Buffer.from(bytes);
        copy.write(markOf(needle.length), at, 'latin1');
      }
      if (copy) bytes = copy;
    }
    return bytes;
  }

  /** How many of the last bytes are the beginning of a secret. */
  private beginningAtEnd(bytes: Buffer): number {
    let longest = 0;
    for (const needle of this.needles) {
      const from = Math.max(0, bytes.length - needle.length + 1);
      for (let at = bytes.indexOf(needle[0] ?? 0, from); at >= 0; at = bytes.indexOf(needle[0] ?? 0, at + 1)) {
        const length = bytes.length - at;
        if (length <= longest) break;
        if (bytes.compare(needle, 0, length, at) === 0) longest = length;
      }
    }
    return longest;
  }
}

/** The same as a step of a pipeline. */
export class Scrubber extends Transform {
  private readonly bytes: ByteScrubber;

  constructor(needles: Buffer[], maxBytes = Infinity) {
    super();
    this.bytes = new ByteScrubber(needles, maxBytes);
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    done(null, this.bytes.push(chunk));
  }

  override _flush(done: TransformCallback): void {
    done(null, this.bytes.end());
  }
}
