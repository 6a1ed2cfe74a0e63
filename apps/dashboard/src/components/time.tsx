import { useEffect, useState } from 'react';
import { durationText } from './amounts.js';

const UNITS: [name: Intl.RelativeTimeFormatUnit, seconds: number][] = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['week', 604_800],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];
/** With numbers: what is 26 hours ago may be yesterday or the day before. */
const relative = new Intl.RelativeTimeFormat('en');
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'long' });

/** `5 minutes ago`, `in 2 hours`, `just now`. What comes is rounded: a day from now is in 24 hours, not in 23. */
export function relativeTime(instant: string, now = Date.now()): string {
  const seconds = (Date.parse(instant) - now) / 1_000;
  const [unit, size] = UNITS.find(([, of]) => Math.abs(seconds) >= of) ?? [];
  if (unit === undefined || size === undefined) return seconds > 5 ? 'in less than a minute' : 'just now';
  return relative.format(seconds > 0 ? Math.round(seconds / size) : Math.trunc(seconds / size), unit);
}

export const exactTime = (instant: string): string => exact.format(new Date(instant));

/** Of whoever looks. */
export const OWN_ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** By the clock of a zone: `Tue, 24 Nov 2026, 09:00`. */
export const timeIn = (instant: string, timeZone = OWN_ZONE): string =>
  new Intl.DateTimeFormat('en-GB', {
    ...{ weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' },
    ...{ hour: '2-digit', minute: '2-digit', timeZone },
  }).format(new Date(instant));

export const lastedFor = (from: string, to: string): string =>
  durationText(Math.max(0, Date.parse(to) - Date.parse(from)));

/** As a field of the type datetime-local has it, by the reader's clock. */
export function localInput(instantMs: number): string {
  const offsetMs = new Date(instantMs).getTimezoneOffset() * 60_000;
  return new Date(instantMs - offsetMs).toISOString().slice(0, 16);
}

/** Relative and kept up to date; the exact one on hover and for who cannot hover by the title. */
export function Time({ at, className = '' }: { at: string; className?: string }) {
  useTicks();
  return (
    <time dateTime={at} title={exactTime(at)} className={`whitespace-nowrap ${className}`}>
      {relativeTime(at)}
    </time>
  );
}

const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

/** One timer for all of them. */
function useTicks(): void {
  const [, tick] = useState(0);
  useEffect(() => {
    const listener = () => tick((count) => count + 1);
    listeners.add(listener);
    timer ??= setInterval(() => listeners.forEach((each) => each()), 20_000);
    return () => {
      listeners.delete(listener);
      if (listeners.size > 0) return;
      clearInterval(timer);
      timer = undefined;
    };
  }, []);
}
