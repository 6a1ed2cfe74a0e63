/** Shorter runs are keys, hashes and tokens that a model may need. */
const MIN_CHARS = 1_000;
const DATA_URL = /data:([\w.+-]+\/[\w.+-]+)?(?:;[\w.+-]+=[\w.+-]+)*;base64,[A-Za-z0-9+/_-]{60,}={0,2}/g;
/** In one line, or in many as `base64` writes it. Begun at its first character alone: else each one would be tried. */
const RUN = new RegExp(
  `(?<![A-Za-z0-9+/])(?:[A-Za-z0-9+/]{${MIN_CHARS},}|(?:[A-Za-z0-9+/]{60,80}\\r?\\n){15,}[A-Za-z0-9+/]*)={0,2}`,
  'g',
);

/** Long base64 in a text costs a context's worth of tokens and means nothing to a model: it is replaced by a note. */
export function withoutBase64(text: string): string {
  if (text.length < 100) return text;
  return text
    .replace(DATA_URL, (found, type: string | undefined) => left(found, type))
    .replace(RUN, (found) => (isBase64(found) ? left(found) : found));
}

/** Not a line of dashes, a number or a gene: those have no mixture of letters and digits. */
const isBase64 = (run: string) => /[a-z]/.test(run) && /[A-Z]/.test(run) && /[0-9]/.test(run);

const left = (found: string, type?: string) =>
  `[${found.length} characters of base64${type ? `, ${type},` : ''} left out]`;
