import { describe, expect, it } from 'vitest';
import { SlotPlan } from './cron.js';

const iso = (instant: number | undefined) => (instant === undefined ? undefined : new Date(instant).toISOString());
function slots(expression: string, zone: string, from: string, count: number) {
  const plan = SlotPlan.of(expression, zone);
  const found: (string | undefined)[] = [];
  let at: number | undefined = Date.parse(from);
  while (at !== undefined && found.length < count) {
    at = plan.after(at);
    found.push(iso(at));
  }
  return found;
}

describe('slots and daylight saving', () => {
  it('runs a slot of the skipped hour at the first instant after the gap', () => {
    expect(slots('30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z', 2)).toEqual([
      '2026-03-29T01:00:00.000Z',
      '2026-03-30T00:30:00.000Z',
    ]);
  });

  it('runs a slot of the repeated hour once', () => {
    expect(slots('30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z', 2)).toEqual([
      '2026-10-25T00:30:00.000Z',
      '2026-10-26T01:30:00.000Z',
    ]);
  });

  it('lets intervals follow the wall clock', () => {
    expect(slots('*/15 * * * *', 'Europe/Berlin', '2026-03-29T00:40:00Z', 3)).toEqual([
      '2026-03-29T00:45:00.000Z',
      '2026-03-29T01:00:00.000Z',
      '2026-03-29T01:15:00.000Z',
    ]);
    expect(slots('*/30 * * * *', 'Europe/Berlin', '2026-10-25T00:15:00Z', 2)).toEqual([
      '2026-10-25T00:30:00.000Z',
      '2026-10-25T02:00:00.000Z',
    ]);
  });

  it('survives a day that a zone skipped whole', () => {
    expect(slots('0 12 * * *', 'Pacific/Apia', '2011-12-29T23:00:00Z', 2)).toEqual([
      '2011-12-30T10:00:00.000Z',
      '2011-12-30T22:00:00.000Z',
    ]);
  });
});

describe('expressions', () => {
  it.each([
    ['* * * *', 'fields'],
    ['* * * * * * *', 'fields'],
    ['0 0 L * *', 'not understood'],
    ['0 0 15W * *', 'not understood'],
    ['0 0 * * 5#2', 'not understood'],
    ['0 0 30 2 *', 'never'],
    ['61 * * * *', 'cron_expression'],
    ['*/0 * * * *', 'cron_expression'],
    ['@reboot', 'macro'],
    ['hello', 'fields'],
    ['0 0 0 0 0', 'cron_expression'],
  ])('refuses %s', (expression, reason) => {
    expect(() => SlotPlan.of(expression, 'UTC')).toThrow(reason);
  });

  it.each(['', 'Mars/Base', '+02:00', 'Europe/Berlin ', '__proto__'])('refuses the zone %j', (zone) => {
    expect(() => SlotPlan.of('@daily', zone)).toThrow('timezone');
  });

  it('takes names, seconds and macros', () => {
    for (const expression of ['0 9 * JAN-MAR MON,wed', '30 0 9 * * *', '@DAILY', '0 0 29 2 *'])
      expect(SlotPlan.of(expression, 'UTC').after(0)).toBeGreaterThan(0);
  });

  it('measures how often they fire', () => {
    expect(SlotPlan.of('*/10 * * * * *', 'UTC').shortestInterval(0)).toBe(10_000);
    expect(SlotPlan.of('0,1 0 * * *', 'UTC').shortestInterval(0)).toBe(60_000);
  });
});
