import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isZone, periodAt, startOfDate } from './calendar.js';

/** With daylight saving that skips or repeats midnight, half and quarter hours, and the date line. */
const ZONES = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'America/Havana',
  'America/Santiago',
  'Asia/Beirut',
  'Asia/Kathmandu',
  'Australia/Lord_Howe',
  'Pacific/Chatham',
  'Pacific/Apia',
  'America/St_Johns',
];
const HOUR = 3_600_000;
const instants = fc.integer({ min: Date.UTC(2015, 0, 1), max: Date.UTC(2035, 0, 1) });
const at = (text: string) => new Date(text).getTime();
const iso = ({ startsAt, endsAt }: { startsAt: number; endsAt: number }) =>
  [startsAt, endsAt].map((instant) => new Date(instant).toISOString());

describe('days and months of a zone', () => {
  it('hold every instant once, without a gap or an overlap', () => {
    fc.assert(
      fc.property(
        instants,
        fc.constantFrom(...ZONES),
        fc.constantFrom('day' as const, 'month' as const),
        (now, zone, kind) => {
          const period = periodAt(now, kind, zone);
          expect(period.startsAt).toBeLessThanOrEqual(now);
          expect(period.endsAt).toBeGreaterThan(now);
          expect(periodAt(period.startsAt, kind, zone)).toEqual(period);
          expect(periodAt(period.endsAt - 1, kind, zone)).toEqual(period);
          expect(periodAt(period.endsAt, kind, zone).startsAt).toBe(period.endsAt);
          const hours = (period.endsAt - period.startsAt) / HOUR;
          const [least, most] = kind === 'day' ? [22, 26] : [27 * 24, 32 * 24];
          expect(hours).toBeGreaterThanOrEqual(least);
          expect(hours).toBeLessThanOrEqual(most);
          // So that sums of quarter hours are those of a day, whatever the zone.
          expect(period.startsAt % (15 * 60_000)).toBe(0);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ['Europe/Berlin', 'day', '2026-03-29T12:00:00Z', ['2026-03-28T23:00:00.000Z', '2026-03-29T22:00:00.000Z']],
    ['Europe/Berlin', 'day', '2026-10-25T12:00:00Z', ['2026-10-24T22:00:00.000Z', '2026-10-25T23:00:00.000Z']],
    ['Europe/Berlin', 'month', '2026-10-31T23:30:00Z', ['2026-10-31T23:00:00.000Z', '2026-11-30T23:00:00.000Z']],
    ['Asia/Kathmandu', 'day', '2026-01-01T18:20:00Z', ['2026-01-01T18:15:00.000Z', '2026-01-02T18:15:00.000Z']],
    // Midnight is skipped: the day begins at one o'clock.
    ['America/Santiago', 'day', '2026-09-06T12:00:00Z', ['2026-09-06T04:00:00.000Z', '2026-09-07T03:00:00.000Z']],
    // Midnight comes twice, and the day begins with the first.
    ['America/Havana', 'day', '2026-11-01T05:30:00Z', ['2026-11-01T04:00:00.000Z', '2026-11-02T05:00:00.000Z']],
  ] as const)('%s: the %s of %s', (zone, kind, instant, expected) => {
    expect(iso(periodAt(at(instant), kind, zone))).toEqual(expected);
  });

  it('are found by their date', () => {
    expect(startOfDate('2026-09-06', 'America/Santiago')).toBe(at('2026-09-06T04:00:00Z'));
    expect(() => startOfDate('2026-02-30', 'UTC')).toThrow(RangeError);
    expect(['Europe/Berlin', 'UTC'].every(isZone)).toBe(true);
    expect(['+02:00', 'Nowhere/At_All', ''].some(isZone)).toBe(false);
  });
});
