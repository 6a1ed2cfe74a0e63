import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { boundReplies, MAX_TURN_REPLY_CHARACTERS } from './batch-replies.js';

const reply = (content: string, id = 'msg_00000000-0000-4000-8000-000000000000') => ({ id, content });

describe('the replies in the webhooks of a batch', () => {
  it('are whole when they fit', () => {
    const replies = [reply('hello'), reply('x'.repeat(100_000))];
    expect(boundReplies(replies, 1)).toEqual({ reply: replies[0], replies });
    expect(boundReplies([], 100)).toEqual({ reply: null, replies: [] });
  });

  it('are cut, then left out, and say so', () => {
    const bounded = boundReplies([reply('short'), reply('x'.repeat(1_000_000)), reply('last')], 100);
    expect(bounded.replies).toMatchObject([reply('short'), { truncated: true }]);
    expect(bounded.replies[1]?.content.length).toBeGreaterThan(15_000);
    expect(bounded.replies_omitted).toBe(1);
  });

  it('take no more than the bound together, however many there are and whatever they are made of', () => {
    const text = fc
      .tuple(fc.constantFrom('a', '"', '\u0001', '\u{1F600}', '\uD800', 'ü'), fc.nat(100_000), fc.constantFrom('', 'b'))
      .map(([part, times, before]) => before + part.repeat(times));
    fc.assert(
      fc.property(
        fc.array(text, { maxLength: 20 }),
        fc.integer({ min: 1, max: 200 }),
        fc.nat(20_000),
        (texts, n, more) => {
          const all = [...texts, ...Array.from({ length: more }, () => '')].map((content) => reply(content));
          const bounded = boundReplies(all, n);
          expect(JSON.stringify(bounded).length * n).toBeLessThanOrEqual(MAX_TURN_REPLY_CHARACTERS + 200 * n);
          expect(bounded.replies.length + (bounded.replies_omitted ?? 0)).toBe(all.length);
          const wrong = bounded.replies.find(({ content, truncated }, at) => {
            const whole = all[at]?.content ?? '';
            const isBroken = whole.isWellFormed() && !content.isWellFormed();
            return isBroken || !whole.startsWith(content) || (truncated === true) !== (content !== whole);
          });
          expect(wrong).toBeUndefined();
        },
      ),
      { numRuns: 20 },
    );
  });
});
