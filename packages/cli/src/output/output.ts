import { safeJson } from './clean.js';
import { type Cell, tableOf } from './table.js';

/** Some terminals say that they have no columns at all. */
const NARROWEST = 60;

/** Where a command writes: what was asked for to stdout, what happens meanwhile to stderr. */
export class Output {
  constructor(
    private readonly stdout: NodeJS.WriteStream,
    private readonly stderr: NodeJS.WriteStream,
    private readonly env: NodeJS.ProcessEnv,
  ) {}

  get isTerminal(): boolean {
    return this.stdout.isTTY === true;
  }

  get width(): number {
    return Math.max(NARROWEST, this.stdout.columns || 120);
  }

  /** Text of ours, or cleaned. */
  line(text: string): void {
    this.write(`${text}\n`);
  }

  write(text: string): void {
    this.stdout.write(text);
  }

  note(text: string): void {
    this.stderr.write(`${text}\n`);
  }

  /** One value, for programs. */
  json(value: unknown): void {
    this.line(safeJson(value, 2));
  }

  /** One of many values, a line each. */
  jsonLine(value: unknown): void {
    this.line(safeJson(value));
  }

  table(head: string[], rows: Cell[][], whenEmpty: string): void {
    if (rows.length === 0) this.note(whenEmpty);
    else this.line(tableOf(head, rows));
  }

  dim(text: string): string {
    return this.styled(2, text);
  }

  bold(text: string): string {
    return this.styled(1, text);
  }

  private styled(code: number, text: string): string {
    const isPlain = !this.isTerminal || (this.env['NO_COLOR'] ?? '') !== '';
    return isPlain ? text : `\u001B[${code}m${text}\u001B[0m`;
  }
}
