import { SlotPlan } from './cron.js';

const MINUTE = 60_000;

/**
 * What the property test compares with: a walk over every minute of real time that asks Intl for the wall clock and
 * tries each field by itself. It shares no code with the plan. Fires when the clock first reaches a matching reading;
 * readings that it jumps over count at the minute after the jump.
 */
export function checkZone(zone: string, tried: readonly string[], year: number) {
  const from = Date.UTC(year, 0, 1) - MINUTE;
  const to = Date.UTC(year + 2, 0, 1);
  const walls = wallsByMinute(zone, from, to);
  const mismatches: { zone: string; expression: string; expected?: string; got?: string }[] = [];
  let checked = 0;
  for (const expression of tried) {
    const matches = matcher(expression);
    const expected = firings(walls, from, matches);
    const plan = SlotPlan.of(expression, zone);
    let at = plan.after(from);
    for (const due of expected) {
      checked++;
      if (at !== due) {
        mismatches.push({
          zone,
          expression,
          expected: new Date(due).toISOString(),
          ...(at ? { got: new Date(at).toISOString() } : {}),
        });
        break;
      }
      at = plan.after(at);
    }
    if (at !== undefined && at < to && mismatches.length === 0)
      mismatches.push({ zone, expression, got: new Date(at).toISOString() });
  }
  return { checked, mismatches };
}

function firings(walls: Float64Array, from: number, matches: (wall: number) => boolean): number[] {
  const fired: number[] = [];
  let highest = walls[0] ?? 0;
  for (let index = 1; index < walls.length; index++) {
    const wall = walls[index] ?? 0;
    if (wall <= highest) continue;
    let hit = false;
    for (let reading = highest + MINUTE; reading <= wall && !hit; reading += MINUTE) hit = matches(reading);
    if (hit) fired.push(from + index * MINUTE);
    highest = wall;
  }
  return fired;
}

/** Offsets hold between quarter hours except around changes; those are asked minute by minute. */
function wallsByMinute(zone: string, from: number, to: number): Float64Array {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' });
  const wallAt = (instant: number) => Date.parse(`${format.format(instant).replace(' ', 'T')}Z`);
  const count = Math.floor((to - from) / MINUTE);
  const walls = new Float64Array(count);
  const step = 6 * 60;
  for (let start = 0; start < count; start += step) {
    const end = Math.min(start + step, count);
    const first = wallAt(from + start * MINUTE);
    const isEven = wallAt(from + end * MINUTE) - first === (end - start) * MINUTE;
    for (let index = start; index < end; index++)
      walls[index] = isEven ? first + (index - start) * MINUTE : wallAt(from + index * MINUTE);
  }
  return walls;
}

function matcher(expression: string): (wall: number) => boolean {
  const [minutes, hours, days, months, weekdays] = expression.split(' ').map((field, index) => {
    const [low, high] = [
      [0, 59],
      [0, 23],
      [1, 31],
      [1, 12],
      [0, 7],
    ][index] as [number, number];
    return { any: field === '*', values: valuesOf(field, low, high) };
  });
  if (!minutes || !hours || !days || !months || !weekdays) throw new Error(expression);
  return (wall) => {
    const minute = Math.floor(wall / MINUTE);
    if (!minutes.values.has(minute % 60) || !hours.values.has(Math.floor(minute / 60) % 24)) return false;
    const date = new Date(wall);
    if (!months.values.has(date.getUTCMonth() + 1)) return false;
    const weekday = date.getUTCDay();
    const onDay = days.values.has(date.getUTCDate());
    const onWeekday = weekdays.values.has(weekday) || (weekday === 0 && weekdays.values.has(7));
    return days.any || weekdays.any ? onDay && onWeekday : onDay || onWeekday;
  };
}

function valuesOf(field: string, low: number, high: number): Set<number> {
  const values = new Set<number>();
  for (const part of field.split(',')) {
    const [range = '', step = '1'] = part.split('/');
    const [first = low, last = range.includes('-') || range !== '*' ? first : high] =
      range === '*' ? [low, high] : range.split('-').map(Number);
    for (let value = first; value <= last; value += Number(step)) values.add(value);
  }
  return values;
}

const minuteFields = ['0', '30', '*/15', '5,35', '59', '1', '*/7', '10-20'];
const restFields = [
  '* * * *',
  '2 * * *',
  '0 * * *',
  '1-3 * * *',
  '*/6 * * *',
  '23 * * 0',
  '12 1 * *',
  '3 29 2 *',
  '2 * 3,10,11 *',
  '1 15 * 1-5',
  '4 31 * *',
  '0 1-7 * 1',
  '9-17 * * 1-5',
];
/** 104 expressions: where the clocks change, at the ends of days and months, with day and weekday together. */
export const expressions = minuteFields.flatMap((minute) => restFields.map((rest) => `${minute} ${rest}`));
