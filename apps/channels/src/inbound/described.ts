/** Of a quoted or forwarded text: enough to know what is meant, while the sender's own words stay the message. */
const MOST_QUOTED = 2_000;
/** Of a name, a title, an answer of a poll. */
const MOST_LABEL = 200;
/** Parts that one message may carry besides its text. */
export const MOST_PARTS = 20;

/** Cut at a character, never within one, and said to be cut. */
export function cut(text: string, most: number): string {
  const characters = [...text.slice(0, most * 2 + 2)];
  return characters.length <= most && text.length <= most * 2 ? text : `${characters.slice(0, most).join('')}…`;
}

/** A name or title in one line. */
export function label(text: string | number | null | undefined): string {
  return cut(
    String(text ?? '')
      .replace(/\s+/g, ' ')
      .trim(),
    MOST_LABEL,
  );
}

/** `[Kind: details]`, the form in which everything that is no text is named to an agent. */
export function described(kind: string, ...details: (string | number | null | undefined)[]): string {
  const known = details.map(label).filter(Boolean);
  return known.length > 0 ? `[${kind}: ${known.join(', ')}]` : `[${kind}]`;
}

/** Somebody else's words, marked line by line so that they are not taken for the sender's own. */
export function quoted(title: string, text: string): string {
  const words = cut(text.trim(), MOST_QUOTED);
  if (words === '') return described(title);
  return [`[${label(title)}]`, ...words.split('\n').map((line) => `> ${line}`)].join('\n');
}
