import { describe, expect, it } from 'vitest';
import { examplePayload } from './example-payload.js';

describe('an example of what a template asks for', () => {
  it.each([
    ['no variables', {}],
    ['{{payload}}', {}],
    ['{{payload.issue.title}} and {{ payload.issue.number }}', { issue: { title: 'title', number: 'number' } }],
    ['{{payload.a}} {{payload.a.b}}', { a: { b: 'b' } }],
    ['{{payload.list.0.name}}', { list: { 0: { name: 'name' } } }],
    ['{{headers.x-github-event}}', {}],
    ['{{payload.__proto__.polluted}}', {}],
  ])('%s', (template, payload) => {
    expect(examplePayload(template)).toEqual(payload);
    expect('polluted' in {}).toBe(false);
  });
});
