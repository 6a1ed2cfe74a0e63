import fc from 'fast-check';
import { expect, it } from 'vitest';
import { storableJson, storableText } from './storable-text.js';

const odd = fc.constantFrom('\0', '\ud83d', '\ude00', '\\u0000', '\\ud83d', '😀', 'a');
const text = fc.array(odd, { maxLength: 8 }).map((parts) => parts.join(''));

it('keeps what PostgreSQL can hold as it is, and nothing else, wherever it stands', () => {
  fc.assert(
    fc.property(fc.tuple(text, text), ([one, two]) => {
      expect(JSON.parse(storableJson({ one, within: [{ [`name ${two}`]: two }, 5, null] }))).toEqual({
        one: storableText(one),
        within: [{ [`name ${storableText(two)}`]: storableText(two) }, 5, null],
      });
    }),
    { numRuns: 2_000 },
  );
});

it('is no longer text that PostgreSQL refuses', () => {
  fc.assert(
    fc.property(text, (given) => {
      const kept = storableText(given);
      expect(kept.isWellFormed() && !kept.includes('\0')).toBe(true);
    }),
  );
});
