import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AccountShares } from './account-shares.js';
import { FairSlots, TooManyWaiting } from './fair-slots.js';

/** Lets each account of `greedy` take as much as it may, one after the other, until none may take more. */
function fill(shares: AccountShares, greedy: string[]): void {
  for (let taken = true; taken;) {
    taken = false;
    for (const account of greedy) {
      if (!shares.hasCapacity(account)) continue;
      shares.take(account);
      taken = true;
    }
  }
}

describe('shares', () => {
  it('give an account alone four fifths, or what the operator sets', () => {
    for (const [slots, perAccount, expected] of [
      [25, undefined, 20],
      [20, undefined, 16],
      [2, undefined, 1],
      [1, undefined, 1],
      [20, 5, 5],
      [20, 100, 20],
    ] as const) {
      const shares = new AccountShares({ slots, perAccount });
      fill(shares, ['a']);
      expect(shares.takenBy('a')).toBe(expected);
    }
  });

  it('leave capacity for one that comes later, whatever those before have taken, in whatever order', () => {
    const options = fc.record({
      slots: fc.integer({ min: 10, max: 200 }),
      order: fc.array(fc.nat(2), { maxLength: 400 }),
    });
    fc.assert(
      fc.property(options, ({ slots, order }) => {
        const shares = new AccountShares({ slots });
        for (const n of order) if (shares.hasCapacity(`${n}`)) shares.take(`${n}`);
        fill(shares, ['0', '1', '2']);
        // Three accounts hold what they can get: only the last comer's first slot may come from the reserve.
        expect(shares.free).toBeGreaterThanOrEqual(Math.ceil(slots / 10) - 2);
        for (const account of shares.full()) expect(shares.takenBy(account)).toBeLessThanOrEqual(shares.perAccount);
      }),
    );
  });

  it('never let an account exceed its share, counting what is still on its way to it', () => {
    const shares = new AccountShares({ slots: 10, perAccount: 3 });
    shares.take('a');
    expect(shares.hasCapacity('a', 1)).toBe(true);
    expect(shares.hasCapacity('a', 2)).toBe(false);
    expect(shares.full(2)).toEqual(['a']);
  });
});

describe('fair slots', () => {
  it('serve waiting accounts one after the other, each in its own order', async () => {
    const slots = new FairSlots({ slots: 1, maxWaiting: 100 });
    const release = await slots.acquire('x');
    const served: string[] = [];
    const ask = (account: string, name: string) =>
      slots.run(account, async () => {
        served.push(name);
      });
    const all = [ask('a', 'a1'), ask('a', 'a2'), ask('a', 'a3'), ask('b', 'b1'), ask('b', 'b2'), ask('c', 'c1')];
    release();
    await Promise.all(all);
    expect(served).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3']);
  });

  it('serve a second account at once while the first holds all it may', async () => {
    const slots = new FairSlots({ slots: 10, maxWaiting: 100 });
    for (let n = 0; n < 50; n += 1) void slots.acquire('greedy').catch(() => undefined);
    expect(slots.waiting).toBe(42);
    expect(slots.tryAcquire('good')).toBeDefined();
  });

  it('refuse what exceeds the bound on waiting, of that account alone', async () => {
    const slots = new FairSlots({ slots: 1, maxWaiting: 2 });
    const release = await slots.acquire('a');
    const waiting = [slots.acquire('a'), slots.acquire('a')];
    await expect(slots.acquire('a')).rejects.toBeInstanceOf(TooManyWaiting);
    const other = slots.acquire('b');
    release();
    (await waiting[0]!)();
    (await other)();
    (await waiting[1]!)();
    expect(slots.waiting).toBe(0);
  });

  it('forget who gives up waiting, and give a slot back once however often it is released', async () => {
    const slots = new FairSlots({ slots: 1, maxWaiting: 2 });
    const release = await slots.acquire('a');
    const patience = new AbortController();
    const given = slots.acquire('b', patience.signal);
    patience.abort(new Error('gone'));
    await expect(given).rejects.toThrow('gone');
    release();
    release();
    expect(slots.tryAcquire('c')).toBeDefined();
    expect(slots.tryAcquire('d')).toBeUndefined();
  });

  it('give the slot back when the work fails', async () => {
    const slots = new FairSlots({ slots: 1, maxWaiting: 1 });
    await expect(slots.run('a', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(slots.tryAcquire('a')).toBeDefined();
  });
});
