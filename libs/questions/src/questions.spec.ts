import type { Question } from '#lib/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { answerOf, answerProblem, optionsOf, readQuestion } from './index.js';

/** A question as the tool or the server gives it. */
function read(raw: object): Question {
  const question = readQuestion({ question: 'Well?', ...raw });
  if ('problem' in question) throw new Error(question.problem);
  return question;
}
const form = (properties: object, required: string[] = []) =>
  read({ schema: { type: 'object', properties, required } });

describe('a question', () => {
  it('has choices, a form or a page, or is answered by a text', () => {
    for (const raw of [{}, { choices: ['a'] }, { url: 'https://a.example' }]) expect(read(raw)).toMatchObject(raw);
    expect(readQuestion({ question: 'x', choices: ['a'], url: 'https://a.example' })).toHaveProperty('problem');
  });

  it.each([
    { choices: ['a', 'a'] },
    { choices: [] },
    { url: 'javascript:alert(1)' },
    { schema: { type: 'object', properties: { a: { type: 'object', properties: {} } } } },
    { schema: { type: 'object', properties: {} } },
    { schema: JSON.parse('{"type":"object","properties":{"__proto__":{"type":"string"}}}') as object },
    { schema: { type: 'object', properties: { a: { type: 'string', description: 'x'.repeat(1_001) } } } },
    { question: '' },
  ])('cannot be asked as %j', (raw) => {
    expect(readQuestion({ question: 'Well?', ...raw })).toHaveProperty('problem');
  });

  it('holds nothing that PostgreSQL could not', () => {
    expect(read({ question: 'a\0b\ud800' }).question).toBe('ab\ufffd');
  });
});

describe('an answer', () => {
  const fields = form(
    {
      mail: { type: 'string', format: 'email' },
      day: { type: 'string', format: 'date' },
      size: { type: 'string', enum: ['s', 'm'], enumNames: ['Small', 'Medium'] },
      many: {
        type: 'array',
        items: {
          anyOf: [
            { const: 'x', title: 'Ex' },
            { const: 'y', title: 'Why' },
          ],
        },
        maxItems: 1,
      },
      count: { type: 'integer', minimum: 1, maximum: 3 },
      sure: { type: 'boolean' },
    },
    ['count'],
  );
  it.each([
    [{ count: 1 }, undefined],
    [{ count: 3, mail: 'a@b.example', day: '2026-01-31', size: 'm', many: ['x'], sure: false }, undefined],
    [{}, 'count'],
    [{ count: 1.5 }, 'count'],
    [{ count: 4 }, 'count'],
    [{ count: '1' }, 'count'],
    [{ count: 1, mail: 'nobody' }, 'mail'],
    [{ count: 1, day: '2026-02-31' }, 'day'],
    [{ count: 1, size: 'Small' }, 'size'],
    [{ count: 1, many: ['x', 'y'] }, 'many'],
    [{ count: 1, many: ['x', 'x'] }, 'many'],
    [{ count: 1, sure: 'yes' }, 'sure'],
    [{ count: 1, constructor: 1 }, 'constructor'],
    [[], null],
  ])('of a form: %j', (answer, field) => {
    expect(answerProblem(fields, answer)?.field).toBe(field);
  });

  it('is typed as lines, as JSON, or as the value of the only field', () => {
    const typed = 'count: 2\nsize = medium\nmany: Why\nsure: yes';
    expect(answerOf(fields, typed)).toEqual({ count: 2, size: 'm', many: ['y'], sure: true });
    expect(answerOf(fields, '{"count": 2}')).toEqual({ count: 2 });
    expect(answerOf(form({ count: { type: 'number' } }), ' 2.5 ')).toEqual({ count: 2.5 });
    expect(answerOf(read({}), 'two: words')).toBe('two: words');
  });

  it('is chosen by name, in any case, or by number', () => {
    const question = read({ choices: ['Red', '3', 'blue'] });
    expect(['Red', 'RED', '1', '3', ' blue '].map((text) => answerOf(question, text))).toEqual([
      ...['Red', 'Red', 'Red', '3', 'blue'],
    ]);
    expect(answerProblem(question, answerOf(question, 'green'))?.message).toContain('one of');
    expect(answerOf(read({ url: 'https://a.example' }), 'done')).toBe(true);
  });

  it('never fails, whatever is typed', () => {
    fc.assert(
      fc.property(fc.string(), fc.constantFrom(fields, read({}), read({ choices: ['a'] })), (text, question) => {
        answerProblem(question, answerOf(question, text));
      }),
    );
    expect(optionsOf({ type: 'boolean' })).toBeUndefined();
  });
});
