/** Of a quoted or forwarded text: enough to know what is meant, while the sender's own text stays the message. */
const MAX_QUOTED = 2_000;
/** Of a name, a title, an answer of a poll. */
const MAX_LABEL = 200;
/** Parts that one message may carry besides its text. */
export const MAX_PARTS = 20;

/** Cut at a character, never within one, and marked as cut. */
export function truncate(text: string, most: number): string {
  const characters = [...text.slice(0, most * 2 + 2)];
  return characters.length <= most && text.length <= most * 2 ? text : `${characters.slice(0, most).join('')}…`;
}

/** A name or title in one line. */
export function oneLine(text: string | number | null | undefined): string {
  return truncate(
    String(text ?? '')
      .replace(/\s+/g, ' ')
      .trim(),
    MAX_LABEL,
  );
}

/** `[Kind: details]`, the form in which everything that is no text is named to an agent. */
export function bracketed(kind: string, ...details: (string | number | null | undefined)[]): string {
  const known = details.map(oneLine).filter(Boolean);
  return known.length > 0 ? `[${kind}: ${known.join(', ')}]` : `[${kind}]`;
}

/** The address of a link as it stands in brackets behind the link's words; undefined where these say it all. */
export function addressBeside(words: string, url: string): string | undefined {
  const address = url.replace(/^(?:mailto:|tel:)/, '');
  // What was typed as an address is made a link by the platform; Telegram adds a slash at the end.
  const isSaid = [url, address, url.replace(/^https?:\/\//, '')].some((form) => [words, `${words}/`].includes(form));
  return isSaid ? undefined : address;
}

/** Somebody else's text, marked line by line so that they are not taken for the sender's own. */
export function quotedText(title: string, text: string): string {
  const quote = truncate(text.trim(), MAX_QUOTED);
  if (quote === '') return bracketed(title);
  return [`[${oneLine(title)}]`, ...quote.split('\n').map((line) => `> ${line}`)].join('\n');
}
