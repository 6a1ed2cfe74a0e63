/** Characters that nobody sees and that change how what stands around them is read; joiners are of words and emoji. */
const TRICKS = /(?![\t\n\u200c\u200d])[\p{Cc}\p{Cf}]/gu;

/**
 * A name, a command, code: what an agent or a stranger chose, and somebody acts on. Shows what would be hidden in it, such
 * as the marks by which `exe.txt` is read for `txt.exe` (Unicode TR 36, 2.5.1).
 */
export const visibleText = (text: string): string =>
  text.replace(TRICKS, (char) => `[U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}]`);
