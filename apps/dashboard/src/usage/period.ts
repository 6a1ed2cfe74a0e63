/** What is looked at: the last days, or from one date to another, both included. */
export interface Period {
  days?: PresetDays;
  from?: string;
  to?: string;
}
export const PRESET_DAYS = [7, 30, 90] as const;
export type PresetDays = (typeof PRESET_DAYS)[number];

const DAY_MS = 86_400_000;
const isDate = (value: unknown): value is string =>
  typeof value === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(value) && dateOf(Date.parse(value)) === value;
const dateOf = (ms: number): string => (Number.isNaN(ms) ? '' : new Date(ms).toISOString().slice(0, 10));
const plusDays = (date: string, days: number): string => dateOf(Date.parse(date) + days * DAY_MS);

/** Of an address: what is no period is left out. */
export function periodOf(search: Record<string, unknown>): Period {
  const { from, to } = search;
  if (isDate(from) && isDate(to) && from <= to) return { from, to };
  const days = PRESET_DAYS.find((each) => String(each) === String(search['days']));
  return days === undefined ? {} : { days };
}

/** Its first and last date, by the calendar of a zone. */
export function datesOf(
  { days = 30, from, to }: Period,
  timeZone: string,
  now = new Date(),
): { from: string; to: string } {
  if (from !== undefined && to !== undefined) return { from, to };
  const today = new Intl.DateTimeFormat('en-CA', { timeZone, dateStyle: 'short' }).format(now);
  return { from: plusDays(today, 1 - days), to: today };
}

/** As the API has it: the end is not included. */
export const boundsOf = ({ from, to }: { from: string; to: string }) => ({ from, to: plusDays(to, 1) });

/** Every date of a period, those on which nothing was used, too. */
export function eachDate({ from, to }: { from: string; to: string }): string[] {
  const count = (Date.parse(to) - Date.parse(from)) / DAY_MS + 1;
  return Array.from({ length: count }, (_, index) => plusDays(from, index));
}

const short = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' });
const long = new Intl.DateTimeFormat('en-GB', {
  ...{ weekday: 'short', day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' },
});
/** `24 Nov`. */
export const shortDate = (date: string): string => short.format(new Date(date));
/** `Tue, 24 Nov 2026`. */
export const longDate = (date: string): string => long.format(new Date(date));
