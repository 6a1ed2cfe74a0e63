import { type Line, linesOf } from './discord-lines.js';

/** https://docs.discord.com/developers/resources/message#create-message; counted in UTF-16 units, the strictest reading. */
export const DISCORD_LIMIT = 2_000;
/** What Discord drops or refuses as "empty": spaces, and marks that show nothing. */
const BLANK = /[\s\u200b-\u200f\u2060-\u2064\ufeff\u00ad]/gu;

/**
 * Markdown as messages that Discord accepts. Split at blank lines and fences where that leaves a part at least half
 * full; a fence that must be cut is closed and opened again. Nothing for blank text.
 */
export function discordMarkdown(markdown: string): string[] {
  const parts: string[] = [];
  let open = new Part();
  const close = () => {
    if (open.text.replace(BLANK, '') !== '') parts.push(open.render());
    open = new Part();
  };
  for (const line of linesOf(clean(markdown))) {
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

// eslint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g;

function clean(markdown: string): string {
  return markdown.toWellFormed().replace(CONTROL, '');
}

/** One message being filled. */
class Part {
  private readonly lines: Line[] = [];
  private size = 0;

  get text(): string {
    return this.lines.map(({ text }) => text).join('');
  }

  fits(line: Line): boolean {
    return this.lines.length === 0 || this.size + costOf(line, this.lines.at(-1)) + closing(line) <= DISCORD_LIMIT;
  }

  add(line: Line): void {
    this.size += costOf(line, this.lines.at(-1));
    this.lines.push(line);
  }

  /** Moves what follows the last border to the next part, if that leaves this one at least half full. */
  takeBack(): Line[] {
    let size = 0;
    let border = 0;
    this.lines.forEach((line, index) => {
      const previous = this.lines[index - 1];
      const isBlank = line.block === undefined && line.text.trim() === '';
      const isFence = previous !== undefined && line.block !== previous.block;
      if ((isBlank || isFence) && size >= DISCORD_LIMIT / 2) border = index;
      size += costOf(line, previous);
    });
    if (border === 0) return [];
    const moved = this.lines.splice(border);
    return moved[0]?.text.trim() === '' && moved[0].block === undefined ? moved.slice(1) : moved;
  }

  render(): string {
    let text = '';
    this.lines.forEach((line, index) => {
      const previous = this.lines[index - 1];
      text += `${seamOf(line, previous)}${line.text}`;
    });
    return text + (this.lines.at(-1)?.block === undefined ? '' : '\n```');
  }
}

/** What stands between two lines: a line break, the end of a fence, the beginning of one. */
function seamOf(line: Line, previous: Line | undefined): string {
  const isSame = previous !== undefined && previous.block === line.block;
  if (isSame) return line.isContinued ? '' : '\n';
  const end = previous === undefined ? '' : previous.block === undefined ? '\n' : '\n```\n';
  return line.block === undefined ? end : `${end}\`\`\`${line.language}\n`;
}

function costOf(line: Line, previous: Line | undefined): number {
  return seamOf(line, previous).length + line.text.length;
}

function closing(line: Line): number {
  return line.block === undefined ? 0 : '\n```'.length;
}
