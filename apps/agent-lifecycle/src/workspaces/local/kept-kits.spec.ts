import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { keepKit, noteKit, removeUnusedKits } from './kept-kits.js';

const hourMs = 60 * 60_000;
let kits: string;

beforeEach(() => {
  kits = mkdtempSync(join(tmpdir(), 'roost-kits-'));
  vi.useFakeTimers({ toFake: ['Date', 'setInterval', 'clearInterval'] });
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(kits, { recursive: true, force: true });
});

function kit(name: string, notedHoursAgo: number): string {
  const folder = join(kits, name);
  mkdirSync(folder);
  writeFileSync(join(folder, 'node'), 'program');
  const notedAt = new Date(Date.now() - notedHoursAgo * hourMs);
  utimesSync(folder, notedAt, notedAt);
  return folder;
}

describe('the kits of a data folder', () => {
  it('are removed when nobody noted them for a day, with what a killed service left of them', () => {
    const own = kit('own', 100);
    for (const [name, hours] of [
      ['another', 23],
      ['old', 25],
      ['half.4711', 25],
    ] as const)
      kit(name, hours);
    removeUnusedKits(own);
    expect(readdirSync(kits).sort()).toEqual(['another', 'own']);
  });

  it('are kept from another version for as long as their service runs', async () => {
    const mine = kit('mine', 0);
    const stop = keepKit(mine, () => undefined);
    await vi.advanceTimersByTimeAsync(48 * hourMs);
    removeUnusedKits(kit('yours', 0));
    expect(Date.now() - statSync(mine).mtimeMs).toBeLessThanOrEqual(hourMs);
    expect(readdirSync(kits).sort()).toEqual(['mine', 'yours']);
    stop();
    await vi.advanceTimersByTimeAsync(25 * hourMs);
    removeUnusedKits(kit('theirs', 0));
    expect(readdirSync(kits)).toEqual(['theirs']);
  });

  it('tell their service when one was removed all the same', async () => {
    const mine = kit('mine', 0);
    let gone = 0;
    keepKit(mine, () => (gone += 1));
    rmSync(mine, { recursive: true });
    await vi.advanceTimersByTimeAsync(5 * hourMs);
    expect(gone).toBe(1);
    expect([noteKit(mine), existsSync(mine)]).toEqual([false, false]);
  });
});
