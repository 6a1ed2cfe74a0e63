import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exactJson, jsonShape, parseExactJson } from './exact-json.js';

/** JSON texts without blanks, with numbers in any notation. */
const digits = fc
  .tuple(
    fc.constantFrom('', '-'),
    fc.oneof(fc.constant('0'), fc.stringMatching(/^[1-9]\d{0,30}$/)),
    fc.oneof(fc.constant(''), fc.stringMatching(/^\.\d{1,25}$/)),
    fc.oneof(fc.constant(''), fc.stringMatching(/^[eE][+-]?\d{1,3}$/)),
  )
  .map((parts) => parts.join(''));
const text = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    digits,
    fc.constantFrom('true', 'false', 'null'),
    fc.string({ unit: 'binary' }).map((value) => JSON.stringify(value)),
    fc.constantFrom('"\\\\"', '"\\\\\\""', '"[{1.0"', '"number 1.0"'),
    fc.array(tie('value'), { maxLength: 4 }).map((values) => `[${values.join(',')}]`),
    fc
      .uniqueArray(fc.tuple(fc.string(), tie('value')), { maxLength: 4, selector: ([key]) => key })
      .map((pairs) => `{${pairs.map(([key, value]) => `${JSON.stringify(`k${key}`)}:${value}`).join(',')}}`),
  ),
})).value;

describe('exact JSON', () => {
  it('writes what it read, digit by digit', () => {
    fc.assert(fc.property(text, (json) => void expect(exactJson(parseExactJson(json))).toBe(normal(json))));
  });

  it('reads what JSON.parse reads', () => {
    const again = (json: string): unknown => JSON.parse(exactJson(parseExactJson(json)) ?? '');
    fc.assert(fc.property(text, (json) => void expect(again(json)).toEqual(JSON.parse(json))));
  });

  it('refuses what JSON.parse refuses', () => {
    const broken = fc
      .tuple(text, fc.nat(), fc.constantFrom('', '0', '"', '\\', '.', '-', '[', ',', '}', 'e'))
      .map(([json, at, put]) => json.slice(0, at % (json.length + 1)) + put + json.slice((at % (json.length + 1)) + 1));
    const isRead = (read: () => unknown) => {
      try {
        read();
        return true;
      } catch {
        return false;
      }
    };
    fc.assert(
      fc.property(
        broken,
        (json) => void expect(isRead(() => parseExactJson(json))).toBe(isRead(() => JSON.parse(json))),
      ),
      { numRuns: 1_000 },
    );
  });

  it('counts the depth, of text in strings not', () => {
    expect(jsonShape('[{"a":[1,"[[[[\\"[["]}]').depth).toBe(3);
    expect(jsonShape('['.repeat(200_000)).depth).toBe(200_000);
  });

  it('counts values, in strings none', () => {
    expect(jsonShape('[1,{"a":2,"b":"x,y,[{"}]').values).toBe(5);
    expect(jsonShape('[1,2,3,4,[[[[]]]]]', 3)).toMatchObject({ values: 4, depth: 1 });
  });

  it('finds no number that the language writes as it was sent', () => {
    expect(jsonShape('[1,-20,0.5,1e+21,123456789012345]').inexact).toEqual([]);
    expect(jsonShape('[1.0,1e2,12345678901234567890]').inexact).toHaveLength(3);
  });
});

/** Strings as JSON.stringify writes them; numbers as they stand. */
function normal(json: string): string {
  return json.replace(/"(?:[^"\\]|\\.)*"/gs, (string) => JSON.stringify(JSON.parse(string)));
}
