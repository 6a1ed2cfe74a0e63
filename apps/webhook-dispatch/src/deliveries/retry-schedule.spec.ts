import { describe, expect, it } from 'vitest';
import { parseRetryAfter, RETRY_DELAYS_MS, retryDelayMs } from './retry-schedule.js';

describe('the retry schedule', () => {
  it('is 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h within 20 % either way, then nothing', () => {
    const seconds = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
    expect(RETRY_DELAYS_MS).toEqual(seconds.map((delay) => delay * 1_000));
    for (const [index, delay] of seconds.entries()) {
      expect(retryDelayMs(index + 1, undefined, () => 0)).toBe(delay * 800);
      expect(retryDelayMs(index + 1, undefined, () => 1)).toBe(delay * 1_200);
    }
    expect(retryDelayMs(10)).toBeUndefined();
  });

  it('waits at least what the receiver asks for, at most a day', () => {
    expect(retryDelayMs(1, 60_000, () => 0)).toBe(60_000);
    expect(retryDelayMs(1, 9e12, () => 0)).toBe(86_400_000);
    expect(retryDelayMs(10, 60_000)).toBeUndefined();
  });

  it.each([
    ['7', 7_000],
    ['Tue, 24 Nov 2026 10:00:30 GMT', 30_000],
    ['Tue, 24 Nov 2020 10:00:30 GMT', 0],
    ['soon', undefined],
    ['-5', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('reads Retry-After %s', (header, expected) => {
    expect(parseRetryAfter(header, Date.parse('2026-11-24T10:00:00Z'))).toBe(expected);
  });
});
