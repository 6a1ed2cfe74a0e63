import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_JSON_DEPTH, MAX_JSON_VALUES, refuseOversizedJson } from './json-bounds.js';
import { refuseUnusableJson } from './usable-text.js';

const check = (json: string, mayHoldNul?: string[]) => () => refuseUnusableJson(json, JSON.parse(json), mayHoldNul);
const measure = (json: string) => () => refuseOversizedJson(Buffer.from(json));

describe('text that nobody can store or use', () => {
  it('is refused by the name of its field, in keys too', () => {
    expect(check('{"content":"a\\ud800"}')).toThrow('content: holds half');
    expect(check('{"list":[{"b":"\\uDFFF"}]}')).toThrow('list.0.b');
    expect(check('{"metadata":{"\\udc00":1}}')).toThrow('metadata.');
    expect(check('"\\ud83d"')).toThrow('the body');
    expect(check('{"custom_env":{"A":"x\\u0000"}}')).toThrow('custom_env.A: holds U+0000');
    expect(check('{"custom_env":{"A\\u0000":"x"}}')).toThrow('custom_env.A\uFFFD: holds U+0000');
    expect(check('{"a":{"__proto__":{"b":1}}}')).toThrow('a.__proto__');
    expect(check('{"a":{"\\u005f_proto_\\u005F":{"b":1}}}')).toThrow('a.__proto__');
  });

  it('is not seen in whole pairs, in escaped backslashes, in text that only speaks of it, or in content of any bytes', () => {
    expect(check('{"content":"\\ud83d\\ude00"}')).not.toThrow();
    expect(check('{"content":"\\\\ud800 \\\\u0000 __proto__"}')).not.toThrow();
    expect(check('{"content":"😀 \\u00e9"}')).not.toThrow();
    expect(check('{"constructor":{"prototype":1}}')).not.toThrow();
    expect(check('{"content":"a\\u0000"}', ['content'])).not.toThrow();
    expect(check('{"name":"a\\u0000"}', ['content'])).toThrow('name');
  });
});

describe('the size of JSON', () => {
  it('is described as it is, for any value', () => {
    const depthOf = (value: unknown): number =>
      typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 80 }), (value) => {
        const run = expect(measure(JSON.stringify(value)));
        if (depthOf(value) > MAX_JSON_DEPTH) run.toThrow('levels');
        else run.not.toThrow();
      }),
    );
  });

  it('is bounded in depth and in values, whatever strings hold', () => {
    const nested = (levels: number) => `${'[{"a":'.repeat(levels / 2)}0${'}]'.repeat(levels / 2)}`;
    expect(measure(nested(MAX_JSON_DEPTH))).not.toThrow();
    expect(measure(nested(MAX_JSON_DEPTH + 2))).toThrow('levels');
    expect(measure('['.repeat(200_000))).toThrow('levels');
    expect(measure(`["${'[{,'.repeat(MAX_JSON_VALUES)}"]`)).not.toThrow();
    expect(measure(`["\\"${'[{,'.repeat(MAX_JSON_VALUES)}\\\\"]`)).not.toThrow();
    expect(measure(`[${'1,'.repeat(MAX_JSON_VALUES)}1]`)).toThrow('values');
    expect(measure(`[${'[],'.repeat(MAX_JSON_VALUES / 2)}1]`)).toThrow('values');
    expect(measure('"never ends \\')).not.toThrow();
  });
});
