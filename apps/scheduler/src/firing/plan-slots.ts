import type { Schedule } from '#lib/contracts';

/** How late a slot may be and still count as on time, for schedules that make up for nothing: a restart takes as long. */
const GRACE_MS = 5_000;
const MOST_MADE_UP = 100;
/** Slots taken at once: after a long outage the older ones are recorded in several steps. */
const MOST_AT_ONCE = 1_000;

export interface PlannedSlots {
  /** Slots to run, oldest first. */
  run: number[];
  /** Slots that pass without a run. */
  missed: number[];
  /** Undefined when the expression has no slot any more. */
  next: number | undefined;
}

/**
 * Divides the slots that are due, from `first` until `now` (epoch ms): the latest runs; those before it were missed
 * and `catchUp` decides which of them run too (spec: automation.md). Every slot until `next` is in one of the lists. From
 * `onTimeSince` on a slot is on time however late it is taken: the platform ran and had much to fire.
 */
export function planSlots(
  first: number,
  now: number,
  catchUp: Schedule['catchUp'],
  after: (slot: number) => number | undefined,
  onTimeSince = now,
): PlannedSlots {
  const due: number[] = [];
  let next: number | undefined = first;
  while (next !== undefined && next <= now && due.length < MOST_AT_ONCE) {
    due.push(next);
    next = after(next);
  }
  if (due.length === MOST_AT_ONCE) {
    // There may be more: which are the latest is only known at the end, so those that can still run stay due.
    return { run: [], missed: due.slice(0, -MOST_MADE_UP), next: due[MOST_AT_ONCE - MOST_MADE_UP] };
  }
  const latest = due.at(-1) ?? first;
  const isOnTime = now - latest <= GRACE_MS || latest > onTimeSince;
  const runs = catchUp === 'all' ? MOST_MADE_UP : catchUp === 'latest' || isOnTime ? 1 : 0;
  const split = Math.max(0, due.length - runs);
  return { run: due.slice(split), missed: due.slice(0, split), next };
}
