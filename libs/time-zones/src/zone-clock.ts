const SECOND = 1_000;
const HOUR = 3_600_000;
const DAY = 86_400_000;
/** More than there are zones: each is kept once, however its name is written. */
const KEPT_CLOCKS = 1_000;
/** Spellings of zones that are known, a few bytes each; `eUROPE/berlin` has thousands. */
const KEPT_NAMES = 2_000;
/** Days of one zone, a year of daily slots; 1,000 zones of them are some 40 MB. */
const KEPT_DAYS = 400;

/**
 * Wall clock of one IANA zone. Times are epoch ms; a wall time is the epoch ms that the same reading would have in UTC.
 * The zone's offset is asked once a day of UTC and, on a day it changes, the moment of the change is sought.
 */
export class ZoneClock {
  private static readonly clocks = new Map<string, ZoneClock>();
  /** Spellings, with the name that Intl has for the zone. */
  private static readonly names = new Map<string, string>();
  private readonly days = new Map<number, { before: number; changesAt: number; after: number }>();
  private readonly format: Intl.DateTimeFormat;

  private constructor(zone: string) {
    this.format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    });
  }

  /** Errors: a RangeError when there is no such zone. */
  static of(zone: string): ZoneClock {
    const name =
      this.names.get(zone) ?? new Intl.DateTimeFormat('en-US', { timeZone: zone }).resolvedOptions().timeZone;
    keep(this.names, zone, name, KEPT_NAMES);
    const known = this.clocks.get(name);
    if (known) return known;
    const clock = new ZoneClock(name);
    keep(this.clocks, name, clock, KEPT_CLOCKS);
    return clock;
  }

  /** How much is kept of all zones. */
  static kept(): { clocks: number; names: number; days: number } {
    const days = Math.max(0, ...[...this.clocks.values()].map((clock) => clock.days.size));
    return { clocks: this.clocks.size, names: this.names.size, days };
  }

  wallAt(instant: number): number {
    return instant + this.offsetAt(instant);
  }

  /**
   * The first instant at which the wall clock reads `wall` or later: for a reading in a skipped hour that is the end
   * of the gap, for one in a repeated hour its first occurrence (spec: automation.md, DST).
   */
  firstInstantOf(wall: number): number {
    // No zone is further than 15 hours from UTC, so these are the offsets before and after any change that matters.
    const [before, after] = [this.offsetAt(wall - 15 * HOUR), this.offsetAt(wall + 15 * HOUR)];
    const readings = [wall - before, wall - after].filter((instant) => this.wallAt(instant) === wall);
    if (readings.length > 0) return Math.min(...readings);
    // Skipped: the end of the gap lies between the two readings.
    let [low, high] = [wall - Math.max(before, after), wall - Math.min(before, after)];
    while (high - low > SECOND) {
      const middle = Math.floor((low + high) / (2 * SECOND)) * SECOND;
      if (this.wallAt(middle) >= wall) high = middle;
      else low = middle;
    }
    return high;
  }

  private offsetAt(instant: number): number {
    const { before, changesAt, after } = this.day(Math.floor(instant / DAY));
    return instant < changesAt ? before : after;
  }

  private day(day: number) {
    const known = this.days.get(day);
    if (known) return known;
    const before = this.readOffset(day * DAY);
    const after = this.readOffset((day + 1) * DAY - SECOND);
    let [low, high] = [day * DAY, (day + 1) * DAY - SECOND];
    while (before !== after && high - low > SECOND) {
      const middle = Math.floor((low + high) / (2 * SECOND)) * SECOND;
      if (this.readOffset(middle) === before) low = middle;
      else high = middle;
    }
    const found = { before, changesAt: before === after ? -Infinity : high, after };
    keep(this.days, day, found, KEPT_DAYS);
    return found;
  }

  private readOffset(instant: number): number {
    const [month = 0, date = 0, year = 0, hour = 0, minute = 0, second = 0] = (
      this.format.format(instant).match(/\d+/g) ?? []
    ).map(Number);
    return Date.UTC(year, month - 1, date, hour, minute, second) - Math.floor(instant / SECOND) * SECOND;
  }
}

/** Begins anew when it is full: what is used is soon there again. */
function keep<K, V>(known: Map<K, V>, key: K, value: V, most: number): void {
  if (known.size >= most && !known.has(key)) known.clear();
  known.set(key, value);
}
