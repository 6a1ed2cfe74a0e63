import { RoostError } from '#lib/contracts';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { SlotPlan, zoneClock } from './cron.js';
import { ZoneClock } from '#lib/time-zones';

/**
 * Dates that are computed (a step: the library does for each month it looks at, the clock for each offset it reads). An
 * expression that never fires is looked for over eight centuries, once; for weekdays it
 * works out the days of a month for each of the 400 slots that are checked.
 */
const MOST_STEPS = 1_000;
const MOST_STEPS_TO_CHECK = 400 * 250;

describe('what an expression costs', () => {
  afterEach(() => vi.restoreAllMocks());

  const stepsOf = (work: () => void) => {
    const dates = vi.spyOn(Date, 'UTC');
    work();
    const steps = dates.mock.calls.length;
    dates.mockRestore();
    return steps;
  };

  const value = fc.integer({ min: 0, max: 60 }).map(String);
  const name = fc.constantFrom('JAN', 'feb', 'DEC', 'SUN', 'mon', 'SAT');
  const part = fc.oneof(
    fc.constant('*'),
    value,
    name,
    fc.tuple(value, value).map((range) => range.join('-')),
    fc.tuple(fc.constantFrom('*', '0-59', '1-12'), fc.integer({ min: 0, max: 999 })).map((step) => step.join('/')),
  );
  const field = fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join(','));
  const day = fc.constantFrom('*', '1', '29', '30', '31', '1-7', '28,29');
  const plausible = fc.tuple(fc.constantFrom('0', '59', '0,59', '*/7', '*'), fc.constantFrom('0', '23', '0,23', '*'));
  const expression = fc.oneof(
    fc.array(field, { minLength: 5, maxLength: 6 }).map((fields) => fields.join(' ')),
    fc
      .tuple(plausible, day, fc.constantFrom('*', '1', '2', '2,4', '12'), fc.constantFrom('*', '0', '1', '7', '1-5'))
      .map(([time, ...date]) => [...time, ...date].join(' ')),
    fc.constantFrom('@yearly', '@monthly', '0 0 29 2 *', '59 59 23 31 12 *'),
  );

  it('is bounded in steps, whatever is accepted', () => {
    fc.assert(
      fc.property(
        expression,
        fc.constantFrom('UTC', 'Europe/Berlin', 'Pacific/Apia', 'Australia/Lord_Howe'),
        fc.integer({ min: Date.UTC(2011, 11, 25), max: Date.UTC(2110, 0, 1) }),
        (text, zone, from) => {
          let plan: SlotPlan | undefined;
          const parsing = stepsOf(() => {
            try {
              plan = SlotPlan.of(text, zone);
            } catch (error) {
              // Refused: a word for the user, nothing else.
              if (!(error instanceof RoostError)) throw error;
            }
          });
          expect(parsing).toBeLessThanOrEqual(MOST_STEPS);
          expect(stepsOf(() => plan?.after(from))).toBeLessThanOrEqual(MOST_STEPS);
          expect(stepsOf(() => plan?.shortestInterval(from))).toBeLessThanOrEqual(MOST_STEPS_TO_CHECK);
        },
      ),
      { numRuns: 150 },
    );
  });

  it.each(['0 0 1 1 *', '@yearly', '0 0 29 2 *', '0 0 31 12 *'])('of %s to be checked is a few steps', (text) => {
    expect(stepsOf(() => SlotPlan.of(text, 'UTC').shortestInterval(Date.UTC(2026, 5, 1)))).toBeLessThanOrEqual(200);
  });

  it('asks Intl nothing for readings', () => {
    const plan = SlotPlan.of('*/2 * * * *', 'UTC');
    const asked = vi.spyOn(Intl, 'DateTimeFormat');
    plan.shortestInterval(Date.UTC(2026, 5, 1));
    expect(asked).not.toHaveBeenCalled();
  });

  it('finds the shortest interval where dates meet rarely', () => {
    const minute = 60_000;
    // From the 28th to the 29th of February, in leap years.
    expect(SlotPlan.of('0,59 0,23 28,29 2 *', 'UTC').shortestInterval(Date.UTC(2025, 5, 1))).toBe(minute);
    expect(SlotPlan.of('59 23 28,29 2 *', 'UTC').shortestInterval(Date.UTC(2097, 0, 1))).toBe(24 * 60 * minute);
  });
});

describe('clocks of zones', () => {
  it('are one for all spellings of a zone', () => {
    const spellings = Array.from({ length: 2 ** 10 }, (_, bits) =>
      [...'europe/berlin'].map((letter, at) => ((bits >> at) & 1 ? letter.toUpperCase() : letter)).join(''),
    );
    const before = ZoneClock.kept().clocks;
    expect(new Set(spellings.map((zone) => zoneClock(zone))).size).toBe(1);
    expect(ZoneClock.kept().clocks).toBeLessThanOrEqual(before + 1);
  });

  it('keep a bounded number of names and days', () => {
    const clock = zoneClock('Europe/Berlin');
    for (let day = 0; day < 2_000; day += 1) clock.wallAt(day * 86_400_000);
    for (let bits = 0; bits < 2 ** 12; bits += 1)
      zoneClock([...'america/bogota'].map((c, at) => ((bits >> at) & 1 ? c.toUpperCase() : c)).join(''));
    const kept = ZoneClock.kept();
    expect(kept.days).toBeLessThanOrEqual(400);
    expect(kept.names).toBeLessThanOrEqual(2_000);
  });
});
