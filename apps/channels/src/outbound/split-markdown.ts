import { type Line, type LineMarkup, linesOf } from './markdown-lines.js';

/** How a platform writes what the splitter found. Every function's output is what the platform counts. */
export interface Markup extends LineMarkup {
  /** Most characters of one part. */
  limit: number;
  /** Before lines of code, `language` '' when none is named. */
  openCode(language: string): string;
  closeCode: string;
  /** The platform refuses a part in which nothing is to be seen; its lines' text. */
  isBlank(text: string): boolean;
}

/**
 * Converts Markdown line by line and splits it: at blank lines and fences where that leaves a part at least half full;
 * a fence that must be cut is closed and opened again. No text is lost; blank parts are left out.
 */
export function splitMarkdown(markdown: string, markup: Markup): string[] {
  const parts: string[] = [];
  let open = new Part(markup);
  const close = () => {
    if (!markup.isBlank(open.text)) parts.push(open.render());
    open = new Part(markup);
  };
  for (const line of linesOf(clean(markdown), markup)) {
    if (!open.fits(line)) {
      const rest = open.takeBack();
      close();
      for (const moved of rest) open.add(moved);
      if (!open.fits(line)) close();
    }
    open.add(line);
  }
  close();
  return parts;
}

// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g;

function clean(markdown: string): string {
  return markdown.toWellFormed().replace(CONTROL, '');
}

/** One message being filled. */
class Part {
  private readonly lines: Line[] = [];
  private size = 0;

  constructor(private readonly markup: Markup) {}

  get text(): string {
    return this.lines.map(({ text }) => text).join('');
  }

  fits(line: Line): boolean {
    if (this.lines.length === 0) return true;
    const closing = line.block === undefined ? 0 : this.markup.closeCode.length;
    return this.size + this.costOf(line, this.lines.at(-1)) + closing <= this.markup.limit;
  }

  add(line: Line): void {
    this.size += this.costOf(line, this.lines.at(-1));
    this.lines.push(line);
  }

  /** Moves what follows the last border to the next part, if that leaves this one at least half full. */
  takeBack(): Line[] {
    let size = 0;
    let border = 0;
    this.lines.forEach((line, index) => {
      const previous = this.lines[index - 1];
      const isFence = previous !== undefined && line.block !== previous.block;
      if ((isEmpty(line) || isFence) && size >= this.markup.limit / 2) border = index;
      size += this.costOf(line, previous);
    });
    if (border === 0) return [];
    const moved = this.lines.splice(border);
    return moved[0] && isEmpty(moved[0]) ? moved.slice(1) : moved;
  }

  render(): string {
    const written = this.lines.map((line, index) => this.seamOf(line, this.lines[index - 1]) + line.text).join('');
    return written + (this.lines.at(-1)?.block === undefined ? '' : this.markup.closeCode);
  }

  /** What stands between two lines: a line break, the end of a fence, the beginning of one. */
  private seamOf(line: Line, previous: Line | undefined): string {
    if (previous !== undefined && previous.block === line.block) return line.isContinued ? '' : '\n';
    const { openCode, closeCode } = this.markup;
    const end = previous === undefined ? '' : previous.block === undefined ? '\n' : `${closeCode}\n`;
    return line.block === undefined ? end : end + openCode(line.language);
  }

  private costOf(line: Line, previous: Line | undefined): number {
    return this.seamOf(line, previous).length + line.text.length;
  }
}

function isEmpty(line: Line): boolean {
  return line.block === undefined && line.text.trim() === '';
}
