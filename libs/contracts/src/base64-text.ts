/**
 * Whether a text is base64, with white space wherever it likes. Takes linear time: no two repetitions of the pattern can
 * take the same character, which over megabytes of spaces would take hours.
 */
export function isBase64Text(text: string): boolean {
  return /^[A-Za-z0-9+/\s]*(?:={1,2}\s*)?$/.test(text);
}
