import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exactParts, type ExactRow, exactRows } from './exact-lines.js';

const shown = (text: string) =>
  exactParts(text)
    .map((part) => ('mark' in part ? `<${part.mark}>` : part.text))
    .join('');
/** What the rows say the text is. */
const textOf = (rows: ExactRow[], text: string) => {
  const lines = text.split('\n');
  const read: string[] = [];
  for (const row of rows) {
    if (row.kind === 'blank') read.push(...lines.slice(row.from - 1, row.to));
    else if (row.isRest) read.push((read.pop() ?? '') + row.text);
    else read.push(row.text);
  }
  return read.join('\n');
};

describe('a text that is shown exactly', () => {
  it('has a mark for whatever would not be seen', () => {
    expect(shown('rm \u202e/gpj.')).toBe('rm <U+202E>/gpj.');
    expect(shown('a\u200db\u00a0c\u3164d\ufe0fe\u{e0041}f\r\u2800')).toBe(
      'a<U+200D>b<U+00A0>c<U+3164>d<U+FE0F>e<U+E0041>f<U+000D><U+2800>',
    );
    expect(shown('a\tb\u0000\ud800')).toBe('a<U+0009>b<U+0000><U+D800>');
    expect(shown('naïve 日本 עברית')).toBe('naïve 日本 עברית');
  });

  it('lets no empty lines or spaces push anything out of sight', () => {
    const rows = exactRows(`echo ok${'\n'.repeat(10_000)}rm -rf /`);
    expect(rows).toEqual([
      { kind: 'line', number: 1, text: 'echo ok', isRest: false },
      { kind: 'blank', from: 2, to: 10_000 },
      { kind: 'line', number: 10_001, text: 'rm -rf /', isRest: false },
    ]);
    expect(shown(`echo ok${' '.repeat(500)}; rm`)).toBe('echo ok<500 spaces>; rm');
  });

  it('is all of the text, whatever it is', () => {
    const piece = fc.constantFrom('a', ' ', '\n', '\n\n\n\n', '\u202e', '👩‍🚀', 'x'.repeat(900), '\ud800', '\t');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        const text = pieces.join('');
        expect(textOf(exactRows(text), text)).toBe(text);
        const parts = exactParts(text.replaceAll('\n', ''));
        for (const part of parts) if ('text' in part) expect(part.text).not.toMatch(/[\p{C}\p{DI}]/u);
      }),
    );
  });

  it('of a megabyte is cut into rows at once', () => {
    const begun = performance.now();
    const rows = exactRows('x'.repeat(2 ** 20));
    expect(rows).toHaveLength(Math.ceil(2 ** 20 / 800));
    expect(performance.now() - begun).toBeLessThan(10_000);
  });
});
