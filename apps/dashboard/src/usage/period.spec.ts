import { describe, expect, it } from 'vitest';
import { boundsOf, datesOf, eachDate, periodOf } from './period.js';

describe('a period of usage', () => {
  it('is read from an address; what is none is left out', () => {
    expect(periodOf({ days: '7' })).toEqual({ days: 7 });
    expect(periodOf({ days: '8' })).toEqual({});
    expect(periodOf({ from: '2026-11-01', to: '2026-11-30', days: '7' })).toEqual({
      from: '2026-11-01',
      to: '2026-11-30',
    });
    expect(periodOf({ from: '2026-11-30', to: '2026-11-01' })).toEqual({});
    expect(periodOf({ from: '2026-02-30', to: '2026-03-01' })).toEqual({});
  });

  it('ends today by the calendar of the zone', () => {
    const now = new Date('2026-11-29T23:30:00Z');
    expect(datesOf({ days: 7 }, 'UTC', now)).toEqual({ from: '2026-11-23', to: '2026-11-29' });
    expect(datesOf({ days: 7 }, 'Asia/Tokyo', now)).toEqual({ from: '2026-11-24', to: '2026-11-30' });
  });

  it('holds each of its dates once, over the change of clocks, too', () => {
    expect(eachDate({ from: '2026-10-24', to: '2026-10-26' })).toEqual(['2026-10-24', '2026-10-25', '2026-10-26']);
    expect(boundsOf({ from: '2026-12-31', to: '2026-12-31' })).toEqual({ from: '2026-12-31', to: '2027-01-01' });
  });
});
