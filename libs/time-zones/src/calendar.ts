import { ZoneClock } from './zone-clock.js';

/** A stretch of time in epoch ms, its end not included. */
export interface Period {
  startsAt: number;
  endsAt: number;
}

/**
 * The day or month of a zone's calendar that an instant is in: from the first instant that the wall clock shows its first
 * date, to that of the next. A midnight that is skipped begins where the clock goes on, one that is repeated the first
 * time.
 * Errors: a RangeError when there is no such zone.
 */
export function periodAt(instant: number, kind: 'day' | 'month', zone: string): Period {
  const clock = ZoneClock.of(zone);
  const wall = new Date(clock.wallAt(instant));
  const [year, month, date] = [wall.getUTCFullYear(), wall.getUTCMonth(), kind === 'day' ? wall.getUTCDate() : 1];
  const begin = Date.UTC(year, month, date);
  const end = kind === 'day' ? Date.UTC(year, month, date + 1) : Date.UTC(year, month + 1, 1);
  const [startsAt, endsAt] = [clock.firstInstantOf(begin), clock.firstInstantOf(end)];
  // A clock that is set back over midnight shows the old date once more: the new day has begun all the same.
  if (instant < endsAt) return { startsAt, endsAt };
  const after = kind === 'day' ? Date.UTC(year, month, date + 2) : Date.UTC(year, month + 2, 1);
  return { startsAt: endsAt, endsAt: clock.firstInstantOf(after) };
}

/** When a date (`2026-11-29`) of a zone begins. Errors: a RangeError when there is no such zone or date. */
export function startOfDate(date: string, zone: string): number {
  const wall = Date.parse(`${date}T00:00:00.000Z`);
  if (Number.isNaN(wall) || new Date(wall).toISOString().slice(0, 10) !== date)
    throw new RangeError(`there is no date ${date}`);
  return ZoneClock.of(zone).firstInstantOf(wall);
}

/** Whether it is the name of a zone; offsets like `+02:00` are none. */
export function isZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    ZoneClock.of(name);
    return true;
  } catch {
    return false;
  }
}
