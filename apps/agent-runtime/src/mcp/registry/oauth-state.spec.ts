import { describe, expect, it } from 'vitest';
import { beginPending, takePending } from './oauth-state.js';

describe('an authorisation under way', () => {
  const begunAt = new Date('2026-01-01T00:00:00Z');
  const after = (minutes: number) => new Date(begunAt.getTime() + minutes * 60_000);
  const tokens = { access_token: 'at', token_type: 'Bearer' };
  const one = { state: 'one', verifier: 'v', redirectUri: 'http://127.0.0.1:9/back' };
  const kept = beginPending({ tokens }, one, begunAt);

  it('is taken by its state, and then no more', () => {
    const { taken, left } = takePending(kept, 'one', after(9)) ?? {};
    expect(taken).toMatchObject(one);
    expect(left).toEqual({ tokens });
    expect(takePending(left ?? {}, 'one', after(9))).toBeUndefined();
  });

  it.each(['', 'on', 'one ', 'two'])('is not taken by %j', (state) => {
    expect(takePending(kept, state, after(1))).toBeUndefined();
  });

  it('ends after ten minutes, and with the next one', () => {
    expect(takePending(kept, 'one', after(10))).toBeUndefined();
    const next = beginPending(kept, { ...one, state: 'two' }, after(1));
    expect(takePending(next, 'one', after(2))).toBeUndefined();
    expect(takePending(next, 'two', after(2))).toBeDefined();
  });

  it('of a version that noted no end has ended', () => {
    expect(takePending({ pending: one as never }, 'one', begunAt)).toBeUndefined();
  });
});
