import { RoostError } from '#lib/contracts';
import { Cron } from 'croner';
import { ZoneClock } from '#lib/time-zones';

const MACROS: Record<string, string> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};
const NAMES = 'JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC|SUN|MON|TUE|WED|THU|FRI|SAT';
const FIELD = new RegExp(`^(?:\\*|(?:\\d{1,2}|${NAMES})(?:-(?:\\d{1,2}|${NAMES}))?)(?:/\\d{1,3})?$`, 'i');
/** Slots that are looked at to learn how often an expression fires: a week of what fires hourly. */
const INTERVALS_SEEN = 400;
/** How far ahead they are looked for: dates without weekdays repeat after 4 years, or 8 where a leap year is left out. */
const INTERVALS_AHEAD_MS = 9 * 366 * 86_400_000;
/** Plans that are kept. One is some kilobytes; a scheduler fires the same few again and again. */
const KEPT_PLANS = 20_000;

/** The readings of a clock without daylight saving that an expression names: croner's own interface, in UTC. */
export type Readings = Pick<Cron, 'nextRun'>;

/**
 * When an expression fires in a zone. The library walks the readings of a clock without daylight saving; the zone's
 * clock says when each is reached. So the rules for skipped and repeated hours are ours and are the same for every
 * expression (spec: automation.md, DST), whatever a library does with them.
 */
export class SlotPlan {
  private static readonly plans = new Map<string, SlotPlan>();

  constructor(
    private readonly cron: Readings,
    private readonly clock: ZoneClock,
  ) {}

  /** Errors: VALIDATION_ERROR naming `cron_expression` or `timezone` and the reason. */
  static of(expression: string, timezone: string): SlotPlan {
    const key = `${timezone} ${expression}`;
    const known = this.plans.get(key);
    if (known) return known;
    const plan = new SlotPlan(parseCron(expression), zoneClock(timezone));
    if (this.plans.size >= KEPT_PLANS) this.plans.clear();
    this.plans.set(key, plan);
    return plan;
  }

  /** The first slot after `instant` (epoch ms); undefined when there is none any more. */
  after(instant: number): number | undefined {
    let wall = Math.floor(this.clock.wallAt(instant) / 1_000) * 1_000;
    for (;;) {
      const next = this.cron.nextRun(new Date(wall))?.getTime();
      if (next === undefined) return undefined;
      const slot = this.clock.firstInstantOf(next);
      if (slot > instant) return slot;
      // The same reading came before: this is the second run of a repeated hour.
      wall = next;
    }
  }

  /** The shortest time between two slots among the next few hundred, ms, on a clock without daylight saving. */
  shortestInterval(from: number): number {
    let least = Infinity;
    let previous = this.cron.nextRun(new Date(from))?.getTime();
    for (let seen = 1; previous !== undefined && seen < INTERVALS_SEEN; seen += 1) {
      const next = this.cron.nextRun(new Date(previous))?.getTime();
      if (next === undefined) break;
      least = Math.min(least, next - previous);
      if (next > from + INTERVALS_AHEAD_MS) break;
      previous = next;
    }
    return least;
  }
}

/** Errors: VALIDATION_ERROR naming `cron_expression` and the reason. */
export function parseCron(expression: string): Readings {
  const text = expression.trim();
  const expanded = text.startsWith('@') ? MACROS[text.toLowerCase()] : text;
  if (expanded === undefined)
    throw invalid('cron_expression', `unknown macro; use one of ${Object.keys(MACROS).join(', ')}`);
  const fields = expanded.split(/\s+/);
  if (fields.length !== 5 && fields.length !== 6)
    throw invalid('cron_expression', `must have 5 fields, or 6 with seconds first; it has ${fields.length}`);
  const odd = fields.flatMap((field) => field.split(',')).find((part) => !FIELD.test(part));
  if (odd !== undefined)
    throw invalid(
      'cron_expression',
      `'${odd.slice(0, 40)}' is not understood: use numbers, names, *, ranges, lists and /steps`,
    );
  let cron: Cron;
  try {
    // By offset: for a zone, UTC too, the library asks Intl for each reading, which costs twenty times as much.
    cron = new Cron(expanded, { utcOffset: 0, paused: true });
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^CronPattern: /, '') : 'is not a cron expression';
    throw invalid('cron_expression', reason.slice(0, 200));
  }
  if (!cron.nextRun(new Date(Date.UTC(2024, 0, 1)))) throw invalid('cron_expression', 'never fires');
  return cron;
}

/** Errors: VALIDATION_ERROR naming `timezone`. */
export function zoneClock(timezone: string): ZoneClock {
  // Intl also takes offsets like +02:00, which are no IANA zones.
  if (/^[A-Za-z]/.test(timezone)) {
    try {
      return ZoneClock.of(timezone);
    } catch {
      // Reported to the user below: Intl's own message names no field.
    }
  }
  throw invalid('timezone', 'is not an IANA time zone like Europe/Berlin');
}

function invalid(field: string, message: string): RoostError {
  return new RoostError('VALIDATION_ERROR', `${field}: ${message}`, [{ field, reason: 'invalid', message }]);
}
