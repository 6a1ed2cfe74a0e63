import { describe, expect, it } from 'vitest';
import { relativeTime } from './time.js';

const NOW = Date.parse('2026-11-29T22:00:00Z');
const text = (instant: string) => relativeTime(instant, NOW);

describe('a relative time', () => {
  it('says how long ago something was, and never more than that', () => {
    expect(text('2026-11-29T21:59:30Z')).toBe('just now');
    expect(text('2026-11-29T21:58:01Z')).toBe('1 minute ago');
    expect(text('2026-11-29T19:00:00Z')).toBe('3 hours ago');
  });

  it('counts days by hours, for the day after next is not tomorrow', () => {
    expect(text('2026-12-01T09:00:00Z')).toBe('in 1 day');
    expect(text('2026-11-28T01:00:00Z')).toBe('1 day ago');
  });

  it('rounds what comes: a day that has just begun to pass is 24 hours', () => {
    expect(text('2026-11-30T21:59:58Z')).toBe('in 24 hours');
    expect(text('2026-11-29T22:00:20Z')).toBe('in less than a minute');
  });
});
