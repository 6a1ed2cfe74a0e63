const LINE_FEED = 10;

/**
 * Cuts a stream into lines and keeps at most `maxLineBytes` of each, also of one that never ends. A longer line is given
 * without its rest, which is counted. Bytes that are not UTF-8 become U+FFFD.
 */
export class BoundedLines {
  private parts: Buffer[] = [];
  private keptBytes = 0;
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
    if (this.keptBytes > 0) this.finishLine();
  }

  private keep(bytes: Buffer): void {
    const room = Math.min(bytes.length, this.maxLineBytes - this.keptBytes);
    // Copied, so that a few bytes do not keep a large chunk alive.
    if (room > 0) this.parts.push(Buffer.from(bytes.subarray(0, room)));
    this.keptBytes += room;
    this.lostBytes += bytes.length - room;
  }

  private finishLine(): void {
    const line = Buffer.concat(this.parts).toString('utf8');
    const rest = this.lostBytes > 0 ? ` [… ${this.lostBytes} bytes left out]` : '';
    this.parts = [];
    this.keptBytes = 0;
    this.lostBytes = 0;
    this.onLine(line + rest);
  }
}
