import { CronExpressionParser } from 'cron-parser';
import { Cron } from 'croner';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkZone, expectedSlots, expressions } from '../../test/slot-oracle.js';

/** `npm run test:zones` takes every zone and expression, about half an hour; the suite a random few. */
const isFull = process.env.ROOST_FULL === '1';
const zones = Intl.supportedValuesOf('timeZone');

describe('every slot is accounted for once', () => {
  it.runIf(isFull)(
    `in every zone, for ${expressions.length} expressions, over two years`,
    { timeout: 6 * 3_600_000 },
    () => {
      let slots = 0;
      for (const [index, zone] of zones.entries()) {
        const { checked, mismatches } = checkZone(zone, expressions, 2026);
        expect(mismatches).toEqual([]);
        slots += checked;
        if (index % 20 === 0 || index === zones.length - 1)
          console.log(`${index + 1} of ${zones.length} zones, ${expressions.length} expressions, ${slots} slots`);
      }
    },
  );

  it.runIf(!isFull)('in a sample of zones, over two years', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.constantFrom(...expressions),
        fc.constantFrom(2010, 2026),
        (zone, expression, year) => {
          expect(checkZone(zone, [expression], year).mismatches).toEqual([]);
        },
      ),
      {
        numRuns: 4,
        examples: [
          ['Australia/Lord_Howe', '*/15 * * * *', 2026],
          ['Pacific/Apia', '0 12 * * *', 2010],
          ['America/St_Johns', '1 0 * * *', 2010],
          ['Africa/Casablanca', '30 2 * * *', 2026],
        ],
      },
    );
  });
});

describe('the cron libraries by themselves', () => {
  const tried = isFull
    ? expressions.filter((expression) => expression.startsWith('30 '))
    : ['30 2 * * *', '5,35 1-3 * * *', '0 0 29 2 *', '59 0 1-7 * 1'];
  const inZones = isFull ? ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Africa/Casablanca'] : [];

  it('name the same readings on a clock without daylight saving', () => {
    for (const expression of tried) {
      expect({ expression, slots: slotsOf.croner(expression, 'UTC') }).toEqual({
        expression,
        slots: slotsOf.cronParser(expression, 'UTC'),
      });
    }
  });

  it.runIf(isFull)('differ from what Roost promises where the clocks change', { timeout: 3_600_000 }, () => {
    for (const library of ['croner', 'cronParser'] as const)
      for (const zone of inZones) {
        const wrong = tried.filter((expression) => {
          const expected = expectedSlots(expression, zone, 2026).slice(0, limit);
          return String(slotsOf[library](expression, zone)) !== String(expected);
        });
        console.log(`${library} in ${zone}: ${wrong.length} of ${tried.length} expressions differ, e.g. ${wrong[0]}`);
      }
  });

  /** More than a year of what fires every hour. */
  const limit = 9_000;
  const start = Date.UTC(2026, 0, 1) - 1_000;
  const end = Date.UTC(2028, 0, 1);
  const slotsOf = {
    croner: (expression: string, timezone: string) =>
      new Cron(expression, { timezone, paused: true })
        .nextRuns(limit, new Date(start))
        .map((date) => date.getTime())
        .filter((at) => at < end),
    cronParser(expression: string, tz: string) {
      const walk = CronExpressionParser.parse(expression, { currentDate: new Date(start), tz });
      const found: number[] = [];
      for (let at = walk.next().getTime(); at < end && found.length < limit; at = walk.next().getTime()) found.push(at);
      return found;
    },
  };
});
