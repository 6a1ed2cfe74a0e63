/** Of English text. */
export const CHARS_PER_TOKEN = 4;

/** A cautious guess where no provider has counted. */
export function estimateTokens(text: string): number {
  return Math.ceil(text.length / CHARS_PER_TOKEN);
}
