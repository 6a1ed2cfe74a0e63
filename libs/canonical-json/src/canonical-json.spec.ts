import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { callHash, canonicalJson } from './index.js';

/** The same value with the fields of its objects in another order. */
function turned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(turned);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, field]) => [name, turned(field)]),
  );
}

describe('canonical JSON', () => {
  it('is one text for one value, and holds all of it', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonicalJson(value);
        expect(canonicalJson(turned(value))).toBe(text);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it('sorts fields, and writes as an escape what no text can hold', () => {
    expect(canonicalJson({ b: [1, { d: null, c: '\u0000' }], a: '\ud800' })).toBe(
      '{"a":"\\ud800","b":[1,{"c":"\\u0000","d":null}]}',
    );
  });

  it('refuses what is nested too deeply', () => {
    const deep: unknown = JSON.parse('['.repeat(300) + ']'.repeat(300));
    expect(() => canonicalJson(deep)).toThrow(RangeError);
  });
});

describe('the hash of a call', () => {
  it('differs with the tool and with any argument', () => {
    const hashes = [
      callHash('bash', { command: 'ls' }),
      callHash('bash', { command: 'ls ' }),
      callHash('bash', { command: 'ls', timeout_seconds: 5 }),
      callHash('mcp:bash/bash', { command: 'ls' }),
    ];
    expect(new Set(hashes).size).toBe(hashes.length);
    expect(callHash('bash', { timeout_seconds: 5, command: 'ls' })).toBe(hashes[2]);
  });
});
