/**
 * Keeps the head and the tail of a command's output within a limit: the head says what ran, the tail how it ended.
 * Memory stays bounded whatever the command prints.
 */
export class CappedOutput {
  private head: Buffer[] = [];
  private headBytes = 0;
  private tail: Buffer[] = [];
  private tailBytes = 0;
  private total = 0;
  private readonly half: number;

  constructor(maxBytes: number) {
    this.half = Math.max(1, Math.floor(maxBytes / 2));
  }

  push(chunk: Buffer): void {
    this.total += chunk.length;
    const toHead = Math.min(chunk.length, this.half - this.headBytes);
    if (toHead > 0) {
      this.head.push(chunk.subarray(0, toHead));
      this.headBytes += toHead;
    }
    const rest = chunk.subarray(Math.max(0, toHead));
    if (rest.length === 0) return;
    this.tail.push(rest);
    this.tailBytes += rest.length;
    if (this.tailBytes > this.half * 2) this.trim();
  }

  /** The text; where bytes were left out a line says how many. Bytes that are not UTF-8 become U+FFFD. */
  text(): string {
    this.trim();
    const head = Buffer.concat(this.head);
    const tail = Buffer.concat(this.tail);
    const omitted = this.total - head.length - tail.length;
    if (omitted === 0) return Buffer.concat([head, tail]).toString('utf8');
    return `${head.toString('utf8')}\n[… ${omitted} bytes left out …]\n${tail.toString('utf8')}`;
  }

  private trim(): void {
    if (this.tailBytes <= this.half) return;
    // Copied, so that one small view does not keep a large chunk alive.
    const kept = Buffer.from(Buffer.concat(this.tail).subarray(-this.half));
    this.tail = [kept];
    this.tailBytes = kept.length;
  }
}
