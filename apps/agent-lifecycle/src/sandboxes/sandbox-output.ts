import { BoundedLines, printable } from '#lib/bounded-streams';
import type { Readable } from 'node:stream';

/** Longer lines are cut: a stack or a JSON object of the daemon's fits. */
const maxLineBytes = 2_000;
/** What one sandbox may write into the log in a second: a daemon in trouble writes a line or two. */
const maxLinesPerSecond = 20;
/** Nothing more is read until the second is over. */
const maxBytesPerSecond = 64 * 1024;
/** Beyond it the log takes nothing more of a sandbox, until it is made anew. */
const maxLogBytes = 1024 * 1024;
const lastLineChars = 500;

/**
 * The standard error of a sandbox, for the log. The daemon writes it, but an attacker who takes the daemon over does too: so it
 * is bounded in line, rate and total, and every line is one line of printable characters.
 */
export class SandboxOutput {
  /** The latest line: why the sandbox ended, if it did. */
  lastLine = '';
  private lines = this.reader();
  private second = 0;
  private secondBytes = 0;
  private secondLines = 0;
  private logBytes = 0;
  private leftOutBytes = 0;

  constructor(private readonly onLine: (line: string) => void) {}

  /** Reads a stream to its end, as fast as its bounds allow: a sandbox that writes more has to wait. */
  follow(stream: Readable): void {
    stream.on('error', () => undefined); // the sandbox ended; its exit is what counts
    stream.once('close', () => this.end());
    stream.on('data', (chunk: Buffer) => {
      if (this.push(chunk)) return;
      stream.pause();
      setTimeout(() => stream.resume(), 1_000).unref();
    });
  }

  /** Takes what was read. False: it is enough for this second; what is pushed all the same is left out. */
  push(chunk: Buffer): boolean {
    this.beginSecond();
    const isOver = this.secondBytes >= maxBytesPerSecond || this.logBytes >= maxLogBytes;
    this.secondBytes += chunk.length;
    if (isOver) {
      this.leftOutBytes += chunk.length;
      this.lines = this.reader(); // its line is not whole any more
    } else this.lines.push(chunk);
    return this.secondBytes < maxBytesPerSecond;
  }

  private end(): void {
    this.lines.end();
    this.logWhatIsLeftOut();
  }

  private beginSecond(): void {
    const second = Math.floor(performance.now() / 1_000);
    if (second === this.second) return;
    this.second = second;
    this.secondBytes = 0;
    this.secondLines = 0;
    this.logWhatIsLeftOut();
  }

  private take(line: string): void {
    if (line.trim() === '') return;
    const shown = printable(line);
    this.lastLine = shown.slice(0, lastLineChars);
    if (this.secondLines >= maxLinesPerSecond || this.logBytes >= maxLogBytes) {
      this.leftOutBytes += line.length;
      return;
    }
    this.secondLines += 1;
    this.logBytes += shown.length;
    this.onLine(shown);
    if (this.logBytes >= maxLogBytes) this.onLine('[no more of this sandbox is logged]');
  }

  private logWhatIsLeftOut(): void {
    if (this.leftOutBytes === 0 || this.logBytes >= maxLogBytes) return;
    this.onLine(`[… about ${this.leftOutBytes} bytes left out]`);
    this.leftOutBytes = 0;
  }

  private reader(): BoundedLines {
    return new BoundedLines(maxLineBytes, (line) => this.take(line));
  }
}
