import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { retainRootfs, noteRootfsUse, removeUnusedRootfs } from './rootfs-retention.js';

const hourMs = 60 * 60_000;
let folders: string;

beforeEach(() => {
  folders = mkdtempSync(join(tmpdir(), 'roost-rootfs-'));
  vi.useFakeTimers({ toFake: ['Date', 'setInterval', 'clearInterval'] });
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(folders, { recursive: true, force: true });
});

function rootfs(name: string, notedHoursAgo: number): string {
  const folder = join(folders, name);
  mkdirSync(folder);
  writeFileSync(join(folder, 'node'), 'program');
  const notedAt = new Date(Date.now() - notedHoursAgo * hourMs);
  utimesSync(folder, notedAt, notedAt);
  return folder;
}

describe('the rootfs folders of a data folder', () => {
  it('are removed when nobody noted them for a day, with what a killed service left of them', () => {
    const own = rootfs('own', 100);
    for (const [name, hours] of [
      ['another', 23],
      ['old', 25],
      ['half.4711', 25],
    ] as const)
      rootfs(name, hours);
    removeUnusedRootfs(own);
    expect(readdirSync(folders).sort()).toEqual(['another', 'own']);
  });

  it('are not removed by another version for as long as their service runs', async () => {
    const mine = rootfs('mine', 0);
    const stop = retainRootfs(mine, () => undefined);
    await vi.advanceTimersByTimeAsync(48 * hourMs);
    removeUnusedRootfs(rootfs('yours', 0));
    expect(Date.now() - statSync(mine).mtimeMs).toBeLessThanOrEqual(hourMs);
    expect(readdirSync(folders).sort()).toEqual(['mine', 'yours']);
    stop();
    await vi.advanceTimersByTimeAsync(25 * hourMs);
    removeUnusedRootfs(rootfs('theirs', 0));
    expect(readdirSync(folders)).toEqual(['theirs']);
  });

  it('notify their service when one was removed all the same', async () => {
    const mine = rootfs('mine', 0);
    let gone = 0;
    retainRootfs(mine, () => (gone += 1));
    rmSync(mine, { recursive: true });
    await vi.advanceTimersByTimeAsync(5 * hourMs);
    expect(gone).toBe(1);
    expect([noteRootfsUse(mine), existsSync(mine)]).toEqual([false, false]);
  });
});
