/** Enough to say what is wrong; more would be a page of HTML or the repeated prompt. */
const MAX_CHARS = 500;
/** Read before it is masked and cut. */
const MAX_READ = 10_000;

/**
 * What looks like a secret: some providers repeat the key that they refuse. Keys by their prefix, what is named a key
 * or token, credentials of a URL, and long runs that no word or model's name has.
 */
const SECRETS: [RegExp, string][] = [
  [
    /\b(?:sk|pk|rk|gsk|xai|xox[a-z]|gh[opsur]|hf|nvapi|AIza|ya29|AKIA)[-_.][\w.*-]{4,}|\bAIza[\w*-]{10,}|\bAKIA[\w*]{8,}/g,
    '***',
  ],
  [/\b(bearer|basic)\s+[\w+/=.*~-]{6,}/gi, '$1 ***'],
  [/\b((?:api[-_ ]?key|key|token|secret|password)(?: provided)?["']?\s*[:=]\s*["']?)[^\s"',;]+/gi, '$1***'],
  [/\/\/[^\s/@]+:[^\s/@]+@/g, '//***@'],
  [/\b(?=\w*\d)(?=\w*[a-z])\w{28,}\b/gi, '***'],
];

/** Text of a stranger without what looks like a secret. Give it bounded text: the patterns read all of it. */
export function maskSecrets(text: string): string {
  return SECRETS.reduce((words, [pattern, mask]) => words.replace(pattern, mask), text);
}

/** A provider's own message in one line, for an error that its user reads: secrets masked, at most 500 characters. */
export function providerMessage(text: string): string {
  const line = text
    .slice(0, MAX_READ)
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim();
  const masked = maskSecrets(line);
  return (masked.length > MAX_CHARS ? `${masked.slice(0, MAX_CHARS - 1)}…` : masked).toWellFormed();
}
