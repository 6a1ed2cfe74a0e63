/** A cautious guess where no provider has counted: English text has about four characters to a token. */
export function estimateTokens(text: string): number {
  return Math.ceil(text.length / 4);
}
