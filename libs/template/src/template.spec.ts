import { describe, expect, it } from 'vitest';
import { fillPlaces, placesOf, readPath } from './index.js';

describe('templates', () => {
  it('fills places once: what was filled in is not a template', () => {
    expect(fillPlaces('a {{ x }} {{y}} {{x}}', (name) => (name === 'x' ? '{{y}}' : undefined))).toBe(
      'a {{y}} {{y}} {{y}}',
    );
    expect(placesOf('{{a.b}} {{ c }} { {d} }')).toEqual(['a.b', 'c']);
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
});
