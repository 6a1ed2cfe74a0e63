import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { readYaml } from './yaml.js';

const read = (text: string) => readYaml(Buffer.from(text));
const refusal = (text: string) => {
  try {
    read(text);
  } catch (error) {
    return (error as { details: { reason: string }[] }).details[0]?.reason;
  }
  return undefined;
};

describe('YAML as the JSON that it stands for', () => {
  it('reads what people write: block texts, comments, anchors, names that look like numbers', () => {
    const text = `
# of the team
agents:
  triager: &base
    system_prompt: |
      You sort issues.
      Be brief.
    configuration: { model: demo, timeout_seconds: 600 }
  7: *base
  "yes": { description: ~, warm: true }
`;
    const triager = {
      system_prompt: 'You sort issues.\nBe brief.\n',
      configuration: { model: 'demo', timeout_seconds: 600 },
    };
    expect(read(text)).toEqual({ agents: { triager, '7': triager, yes: { description: null, warm: true } } });
  });

  const json = fc.jsonValue({ maxDepth: 4, stringUnit: 'binary', noUnicodeString: false } as object);
  it('gives back whatever was written as YAML', () => {
    fc.assert(
      fc.property(json, (value) => {
        const text = JSON.stringify(value);
        fc.pre(text.isWellFormed() && !/\\u0000|\\ud[89a-f]|__proto__/i.test(text));
        expect(JSON.stringify(read(stringify(value, { lineWidth: 0 })))).toBe(text);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['a bomb of aliases', bomb(30), 'too_many_values'],
    ['a text that aliases repeat', `a: &a ${'x'.repeat(200_000)}\nb: [${'*a,'.repeat(50)}]`, 'too_large'],
    ['an alias of what holds it', 'a: &a [*a]', 'malformed_yaml'],
    ['lists within lists, in brackets', '['.repeat(100_000), 'too_deep'],
    ['lists within lists, by dashes', '- '.repeat(100_000), 'too_deep'],
    ['maps within maps', `${'a: {'.repeat(65)}${'}'.repeat(65)}`, 'too_deep'],
    [
      'more values than JSON may have',
      Array.from({ length: 30_000 }, (_, n) => `k${n}: 1`).join('\n'),
      'too_many_values',
    ],
    ['a key twice', 'a: 1\na: 2', 'duplicate_key'],
    ['a key that is a prototype', '__proto__: 1', 'duplicate_key'],
    ['a key that is a list', '? [a]\n: 1', 'malformed_yaml'],
    ['two documents', 'a: 1\n---\nb: 2', 'several_documents'],
    ['nothing', '', 'malformed_yaml'],
    ['a tag of another language', 'a: !!js/function "x"', 'malformed_yaml'],
    ['what is no number', 'a: .nan', 'malformed_yaml'],
    ['a broken line', 'a: "x\nb: [', 'malformed_yaml'],
    ['U+0000', 'a: "\\0"', 'invalid_characters'],
  ])('refuses %s', (_, text, reason) => {
    const begun = performance.now();
    expect(refusal(text)).toBe(reason);
    // Of a reader that compares each key with each, or reads to the end, it is minutes.
    expect(performance.now() - begun).toBeLessThan(20_000);
  });

  it('names a place and quotes nothing', () => {
    expect(() => read('a: 1\n  secret: "x')).toThrow(/^the body is not valid YAML, at line 1, column \d+: [a-z ]+$/);
  });
});

/** Each level repeats the one before ten times. */
function bomb(levels: number): string {
  const lines = ['a0: &a0 [x]'];
  for (let n = 1; n < levels; n++)
    lines.push(
      `a${n}: &a${n} [${Array(10)
        .fill(`*a${n - 1}`)
        .join(', ')}]`,
    );
  return lines.join('\n');
}
