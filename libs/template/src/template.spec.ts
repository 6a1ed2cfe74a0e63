import { describe, expect, it } from 'vitest';
import { placeholdersOf } from '#lib/contracts';
import { processorMs } from '#lib/testing';
import fc from 'fast-check';
import { fillTemplate, parseExactJson, readPath } from './index.js';

describe('templates', () => {
  it('fills placeholders once: what was filled in is not a template', () => {
    expect(fillTemplate('a {{ x }} {{y}} {{x}}', (name) => (name === 'x' ? '{{y}}' : undefined), 100)).toEqual({
      text: 'a {{y}} {{y}} {{y}}',
      isCut: false,
    });
    expect(placeholdersOf('{{a.b}} {{ c }} { {d} }')).toEqual(['a.b', 'c']);
  });

  it('reads own properties of JSON only', () => {
    const value = JSON.parse('{"a":{"b":[{"c":"deep"}]},"n":0,"f":false,"z":null,"__proto__":{"x":"own"}}') as unknown;
    expect(readPath(value, ['a', 'b', '0', 'c'])).toBe('deep');
    expect(readPath(value, ['n'])).toBe('0');
    expect(readPath(value, ['f'])).toBe('false');
    expect(readPath(value, ['a', 'b'])).toBe('[{"c":"deep"}]');
    expect(readPath(value, ['z'])).toBe('');
    for (const path of [['constructor'], ['a', '__proto__'], ['toString', 'name'], ['a', 'b', 'length'], ['n', 'x']])
      expect(readPath(value, path)).toBe('');
    expect(
      readPath(
        value,
        Array.from({ length: 100 }, () => 'a'),
      ),
    ).toBe('');
    expect(readPath([1, 'two'], ['1'])).toBe('two');
  });

  it('asks for a value once and stops at the limit, however often a template repeats a placeholder', () => {
    const value = 'x'.repeat(1_000_000);
    let asked = 0;
    const { text, isCut } = fillTemplate('{{a}}{{b}}'.repeat(50_000), () => ((asked += 1), value), 100_000);
    expect({ characters: text.length, isCut, asked }).toEqual({ characters: 100_000, isCut: true, asked: 1 });
  });

  it('fills to the limit what filling without one would give, and never half a character', () => {
    const pieces = fc.array(fc.constantFrom('{{a}}', '{{ b }}', '{{', '}}', '{', ' ', '😀', 'text', '{{none}}'));
    fc.assert(
      fc.property(pieces, fc.string({ unit: 'grapheme' }), fc.nat(60), (parts, value, limit) => {
        const template = parts.join('');
        const valueOf = (name: string) => ({ a: value, b: '' })[name];
        const whole = fillTemplate(template, valueOf, Infinity).text;
        const { text, isCut } = fillTemplate(template, valueOf, limit);
        expect(isCut).toBe(whole.length > limit);
        expect(text).toBe(isCut ? whole.slice(0, limit).replace(/[\uD800-\uDBFF]$/, '') : whole);
      }),
    );
  });

  it.each([
    ['spaces', `{{${' '.repeat(99_998)}`],
    ['spaces and a stray brace', `{{${' '.repeat(50_000)}}${' '.repeat(49_000)}`],
    ['opening braces', '{'.repeat(100_000)],
    ['names that do not end', '{{a '.repeat(25_000)],
    ['empty placeholders', '{{}}'.repeat(25_000)],
  ])('reads a template of %s in time that grows with its length', (_, template) => {
    const tookMs = processorMs(() => {
      placeholdersOf(template);
      fillTemplate(template, () => '', 100_000);
    });
    expect(tookMs).toBeLessThan(1_000);
  });

  it('gives numbers with the digits that were sent, and takes none apart', () => {
    const numbers = ['12345678901234567890', '1.0', '1e400', '-0', '0.1000', '1E+2'];
    const text = `{"n":[${numbers.join(',')}],"__proto__":{"x":1.50},"value":2.0}`;
    const value = parseExactJson(text);
    numbers.forEach((digits, index) => expect(readPath(value, ['n', String(index)])).toBe(digits));
    expect(readPath(value, [])).toBe(text);
    expect(readPath(value, ['__proto__', 'x'])).toBe('1.50');
    for (const step of ['digits', 'toJSON', 'toString']) expect(readPath(value, ['value', step])).toBe('');
  });
});
