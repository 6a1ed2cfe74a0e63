import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { temporaryFolder } from '#lib/testing';
import { lockDataFolder } from './data-lock.js';
import { processIdentity } from './process-identity.js';

describe('the lock of a data folder', () => {
  let other: ChildProcess | undefined;
  afterEach(() => other?.kill('SIGKILL'));

  /** A process that holds the folder's lock, as another launcher would. */
  async function lockedByOther(folder: string): Promise<ChildProcess & { pid: number }> {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    other = child;
    await once(child, 'spawn');
    const { pid } = child;
    if (pid === undefined) throw new Error('no process');
    const content = { pid, identity: processIdentity(pid), url: 'http://127.0.0.1:3000' };
    writeFileSync(join(folder, 'roost.lock'), JSON.stringify(content));
    return Object.assign(child, { pid });
  }

  it('is refused while another process holds it, naming the process and its URL', async () => {
    const folder = temporaryFolder();
    const { pid } = await lockedByOther(folder);
    expect(() => lockDataFolder(folder, 'http://127.0.0.1:4000')).toThrow(
      new RegExp(`in use by Roost at http://127.0.0.1:3000 \\(process ${pid}\\)`),
    );
  });

  it('is taken over after a kill -9 of its holder', async () => {
    const folder = temporaryFolder();
    const holder = await lockedByOther(folder);
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    lockDataFolder(folder, 'http://127.0.0.1:4000').release();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is taken over when its pid now belongs to another process', () => {
    const folder = temporaryFolder();
    const content = { pid: process.pid, identity: 'another boot:1', url: 'http://127.0.0.1:3000' };
    writeFileSync(join(folder, 'roost.lock'), JSON.stringify(content));
    lockDataFolder(folder, 'http://127.0.0.1:4000').release();
  });

  it('is taken over when a power cut left it empty', () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'roost.lock'), '');
    lockDataFolder(folder, 'http://127.0.0.1:4000').release();
  });

  it('is held until released', () => {
    const folder = temporaryFolder();
    const lock = lockDataFolder(folder, 'http://127.0.0.1:4000');
    expect(() => lockDataFolder(folder, 'http://127.0.0.1:4001')).toThrow(/in use/);
    lock.release();
    expect(existsSync(join(folder, 'roost.lock'))).toBe(false);
    lockDataFolder(folder, 'http://127.0.0.1:4001').release();
  });
});
