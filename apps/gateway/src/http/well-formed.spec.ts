import { describe, expect, it } from 'vitest';
import { refuseHalfCharacters } from './well-formed.js';

const check = (json: string) => () => refuseHalfCharacters(json, JSON.parse(json));

describe('half characters', () => {
  it('are refused by the name of their field, in keys too', () => {
    expect(check('{"content":"a\\ud800"}')).toThrow('content: holds half');
    expect(check('{"list":[{"b":"\\uDFFF"}]}')).toThrow('list.0.b');
    expect(check('{"metadata":{"\\udc00":1}}')).toThrow('metadata.');
    expect(check('"\\ud83d"')).toThrow('the body');
  });

  it('are not seen in whole pairs, in escaped backslashes or in text that only speaks of them', () => {
    expect(check('{"content":"\\ud83d\\ude00"}')).not.toThrow();
    expect(check('{"content":"\\\\ud800"}')).not.toThrow();
    expect(check('{"content":"😀 \\u00e9"}')).not.toThrow();
  });
});
