import { expect, it } from 'vitest';
import { parseExactJson } from './exact-json.js';

it.each([
  '12345678901234567890',
  '{"id":12345678901234567890,"n":[1e400,-0,1.50,0.1,7],"text":"1.0","none":null}',
  '[{"deep":{"__proto__":1.0}}]',
])('keeps the digits of %s', (text) => {
  expect(JSON.stringify(parseExactJson(text))).toBe(text);
});

it('reads what JavaScript has as that', () => {
  expect(parseExactJson('{"a":[1,0.5,true,"1.0"]}')).toEqual({ a: [1, 0.5, true, '1.0'] });
});

it('refuses what is no JSON', () => {
  expect(() => parseExactJson('{"a":}')).toThrow(SyntaxError);
});
