import { describe, expect, it } from 'vitest';
import { planSlots } from './plan-slots.js';

const minute = 60_000;
const hourly = (slot: number) => slot + 60 * minute;
const plan = (catchUp: 'latest' | 'none' | 'all', now: number) => planSlots(0, now, catchUp, hourly);

describe('slots that are due', () => {
  it('runs one that is on time, whatever is made up for', () => {
    for (const catchUp of ['latest', 'none', 'all'] as const)
      expect(plan(catchUp, 500)).toEqual({ run: [0], missed: [], next: 60 * minute });
  });

  it('makes up for the latest, none or all of those missed in an outage', () => {
    const now = 3 * 60 * minute + 30 * minute;
    const slots = [0, 1, 2, 3].map((hour) => hour * 60 * minute);
    expect(plan('latest', now)).toMatchObject({ run: slots.slice(3), missed: slots.slice(0, 3) });
    expect(plan('none', now)).toMatchObject({ run: [], missed: slots });
    expect(plan('all', now)).toMatchObject({ run: slots, missed: [] });
  });

  it('holds what the platform was too busy for to be on time, and what passed while it was down to be missed', () => {
    const none = (onTimeSince: number) => planSlots(0, 90_000, 'none', hourly, onTimeSince);
    expect(none(-1)).toMatchObject({ run: [0], missed: [] });
    expect(none(0)).toMatchObject({ run: [], missed: [0] });
    expect(planSlots(0, 5_000, 'none', hourly, 5_000)).toMatchObject({ run: [0], missed: [] });
  });

  it('accounts for every slot of a very long outage once, making up for at most 100', () => {
    const now = 4_321 * 60 * minute;
    for (const [catchUp, runs] of [
      ['latest', 1],
      ['none', 1],
      ['all', 100],
    ] as const) {
      const seen: number[] = [];
      const run: number[] = [];
      let first: number | undefined = 0;
      while (first !== undefined && first <= now) {
        const planned = planSlots(first, now, catchUp, hourly);
        seen.push(...planned.missed, ...planned.run);
        run.push(...planned.run);
        first = planned.next;
      }
      expect(seen).toEqual(Array.from({ length: 4_322 }, (_, hour) => hour * 60 * minute));
      expect(run).toHaveLength(runs);
    }
  });
});
