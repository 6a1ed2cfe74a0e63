/** One measured figure. A goal makes the table say whether it was met. */
export interface Figure {
  what: string;
  value: number;
  unit: string;
  atLeast?: number;
  atMost?: number;
}

/** What every bench file exports. */
export interface Bench {
  name: string;
  /** What has to be there before, and may need a network to come; called in the runner's own process. */
  prepare?(): Promise<void>;
  /** Errors: whatever makes its figures worthless, e.g. a message that was not answered. */
  run(options: Options): Promise<Figure[]>;
}

/** The `key=value` words of the command line, with a bench's own defaults. */
export class Options {
  constructor(private readonly words: string[]) {}

  number(name: string, otherwise: number): number {
    const value = Number(this.text(name) ?? otherwise);
    if (Number.isFinite(value)) return value;
    throw new Error(`${name}= takes a number`);
  }

  has(name: string): boolean {
    return this.words.includes(name) || this.text(name) !== undefined;
  }

  text(name: string): string | undefined {
    return this.words.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1);
  }
}
