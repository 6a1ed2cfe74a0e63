import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Backoff } from './failures.js';

describe('the wait after failures', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('doubles with every failure in a row, up to a minute, and is forgotten after a success', () => {
    const backoff = new Backoff(1_000);
    const waits = Array.from({ length: 9 }, () => {
      backoff.add('a');
      let waited = 0;
      for (; !backoff.mayTry('a'); waited += 500) vi.advanceTimersByTime(500);
      return waited;
    });
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
    expect(backoff.add('a')).toBe(10);
    expect(backoff.mayTry('b')).toBe(true);
    backoff.clear('a');
    expect(backoff.mayTry('a')).toBe(true);
    expect(backoff.add('a')).toBe(1);
  });
});
