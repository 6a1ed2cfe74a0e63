import { describe, expect, it } from 'vitest';
import { shownReason, shownStderr } from './shown-text.js';

describe('what a server says of its failure', () => {
  const config = { command: 'node', env: { TOKEN: 'plainword secret', LEVEL: 'on' } };

  it.each([
    ['its own environment', 'cannot log in with plainword secret (on)', 'cannot log in with *** (on)'],
    ['a part of a value', 'user plainword unknown', 'user *** unknown'],
    ['a key by its shape', 'invalid key sk-abcdefghijkl', 'invalid key ***'],
    ['terminal codes and forged lines', 'a\u001b[2Jb\nERROR c\u202e', 'a\\u{1b}[2Jb\\u{a}ERROR c\\u{202e}'],
  ])('is shown without %s', (_, text, shown) => {
    expect(shownReason(new Error(text), config)).toBe(shown);
  });

  it('masks a remote server’s header, with and without its scheme', () => {
    const remote = { url: 'https://example.com/mcp', headers: { authorization: 'Bearer abcdef' } };
    expect(shownReason(new Error('refused: Bearer abcdef, abcdef'), remote)).toBe('refused: ***, ***');
  });

  it('is bounded, however much it is', () => {
    expect(shownReason(new Error('x y '.repeat(100_000)), config)).toHaveLength(500);
    const stderr = shownStderr(`first\n${'a line\u0000\n'.repeat(50_000)}last`, config);
    expect(stderr?.length).toBeLessThanOrEqual(2_000);
    expect(stderr).toMatch(/a line\\u\{0\}\nlast$/);
  });

  it('keeps the lines of stderr, and is null without any', () => {
    expect(shownStderr('one\r\ntwo\n', config)).toBe('one\ntwo');
    expect(shownStderr(' \n', config)).toBeNull();
  });
});
