const LINE_FEED = 10;

/**
 * Cuts a stream into lines and keeps at most `maxLineBytes` of each, also of one that never ends. A longer line is given
 * without its rest, which is counted. Bytes that are not UTF-8 become U+FFFD.
 */
export class BoundedLines {
  private parts: Buffer[] = [];
  private lineBytes = 0;
  private lostBytes = 0;

  constructor(
    private readonly maxLineBytes: number,
    private readonly onLine: (line: string) => void,
  ) {}

  push(chunk: Uint8Array): void {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    for (let start = 0; start < bytes.length;) {
      const end = bytes.indexOf(LINE_FEED, start);
      this.keep(bytes.subarray(start, end < 0 ? bytes.length : end));
      if (end < 0) return;
      this.finishLine();
      start = end + 1;
    }
  }

  /** The last line need not have an end. */
  end(): void {
    if (this.lineBytes > 0) this.finishLine();
  }

  private keep(bytes: Buffer): void {
    const space = Math.min(bytes.length, this.maxLineBytes - this.lineBytes);
    // Copied, so that a few bytes do not keep a large chunk alive.
    if (space > 0) this.parts.push(Buffer.from(bytes.subarray(0, space)));
    this.lineBytes += space;
    this.lostBytes += bytes.length - space;
  }

  private finishLine(): void {
    const line = Buffer.concat(this.parts).toString('utf8');
    const rest = this.lostBytes > 0 ? ` [… ${this.lostBytes} bytes left out]` : '';
    this.parts = [];
    this.lineBytes = 0;
    this.lostBytes = 0;
    this.onLine(line + rest);
  }
}
