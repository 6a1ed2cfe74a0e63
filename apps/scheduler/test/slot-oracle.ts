import { parseCron, type Readings, SlotPlan, zoneClock } from '../src/slots/cron.js';

const MINUTE = 60_000;

interface Mismatch {
  zone: string;
  expression: string;
  expected?: string;
  got?: string;
}

/**
 * What the property test compares with: a walk over every minute of real time that asks Intl for the wall clock, and
 * over every reading that tries each field by itself. It shares no code with the plan. Fires when the clock first
 * reaches a matching reading; readings that it jumps over count at the minute after the jump. `checked` counts slots.
 */
export function checkZone(zone: string, tried: readonly string[], year: number) {
  const from = Date.UTC(year, 0, 1) - MINUTE;
  const to = Date.UTC(year + 2, 0, 1);
  const walls = wallsByMinute(zone, from, to);
  const mismatches: Mismatch[] = [];
  let checked = 0;
  for (const expression of tried) {
    const plan = new SlotPlan(remembered(expression), zoneClock(zone));
    const found = { zone, expression };
    let at = plan.after(from);
    let isDifferent = false;
    for (const due of firings(walls, from, readingsOf(expression, year))) {
      checked++;
      isDifferent = at !== due;
      if (isDifferent) {
        mismatches.push({ ...found, expected: iso(due), ...(at === undefined ? {} : { got: iso(at) }) });
        break;
      }
      at = plan.after(due);
    }
    if (!isDifferent && at !== undefined && at < to) mismatches.push({ ...found, got: iso(at) });
  }
  return { checked, mismatches };
}

/** Every slot of the two years that begin with `year`, epoch ms. */
export function expectedSlots(expression: string, zone: string, year: number): number[] {
  const from = Date.UTC(year, 0, 1) - MINUTE;
  return [...firings(wallsByMinute(zone, from, Date.UTC(year + 2, 0, 1)), from, readingsOf(expression, year))];
}

const iso = (instant: number) => new Date(instant).toISOString();

/** The instants at which the clock first reads a matching reading or jumps over it, each once. */
function* firings(walls: Float64Array, from: number, readings: Float64Array): Generator<number> {
  let next = 0;
  let highest = walls[0] ?? 0;
  while (next < readings.length && (readings[next] ?? 0) <= highest) next++;
  for (let index = 1; index < walls.length && next < readings.length; index++) {
    const wall = walls[index] ?? 0;
    if (wall <= highest) continue;
    highest = wall;
    if ((readings[next] ?? 0) > wall) continue;
    yield from + index * MINUTE;
    while (next < readings.length && (readings[next] ?? 0) <= wall) next++;
  }
}

const knownPlans = new Map<string, Readings>();

/** The library's answers kept: they are the same in every zone, and asking takes most of the time of a run. */
function remembered(expression: string): Readings {
  const known = knownPlans.get(expression);
  if (known) return known;
  const cron = parseCron(expression);
  const answers = new Map<number, Date | null>();
  const plan: Readings = {
    nextRun(after) {
      const key = Number(after);
      const kept = answers.get(key);
      if (kept !== undefined) return kept;
      const answer = cron.nextRun(after);
      answers.set(key, answer);
      return answer;
    },
  };
  knownPlans.set(expression, plan);
  return plan;
}

const knownReadings = new Map<string, Float64Array>();

/** Every reading of a wall clock that fits the expression, in the two years and two days around them. */
function readingsOf(expression: string, year: number): Float64Array {
  const key = `${year} ${expression}`;
  const known = knownReadings.get(key);
  if (known) return known;
  const matches = matcher(expression);
  const found: number[] = [];
  for (let wall = Date.UTC(year - 1, 11, 30); wall < Date.UTC(year + 2, 0, 3); wall += MINUTE)
    if (matches(wall)) found.push(wall);
  const readings = Float64Array.from(found);
  knownReadings.set(key, readings);
  return readings;
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
