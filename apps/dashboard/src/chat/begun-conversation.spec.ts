import { describe, expect, it } from 'vitest';
import { begunText, newConversationId } from './begun-conversation.js';

describe('the name of a conversation that was begun here', () => {
  it('says when, by the reader’s clock', () => {
    const now = new Date('2026-11-29T21:42:00Z');
    const clock = now.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
    expect(begunText(newConversationId(now))).toMatch(new RegExp(`^Begun \\d+ (Nov|Dec), ${clock}$`));
  });

  it('is none of one that a program has named', () => {
    expect(begunText('order 17')).toBeUndefined();
    expect(begunText('2026-99-99 21:42 abcd')).toBeUndefined();
  });
});
