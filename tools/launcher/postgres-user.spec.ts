import { temporaryFolder } from '#lib/testing';
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { postgresUser } from './postgres-user.js';
import { loadBinaries } from './postgres.js';

const folders: string[] = [];
afterEach(() => folders.splice(0).forEach((folder) => rmSync(folder, { recursive: true, force: true })));

it.skipIf(process.getuid?.() !== 0)('PostgreSQL starts from a clone that only root may enter', async () => {
  const native = dirname(dirname((await loadBinaries()).initdb));
  // As in a clone in root's home: beside the original, since hard links cross no file system.
  const clone = mkdtempSync(join(dirname(native), 'private-'));
  folders.push(clone);
  chmodSync(clone, 0o700);
  spawnSync('cp', ['-al', native, join(clone, 'native')]);
  const initdb = join(clone, 'native', 'bin', 'initdb');
  expect(existsSync(initdb)).toBe(true);
  const data = join(temporaryFolder(), 'data');
  mkdirSync(data, { mode: 0o700 });
  const user = postgresUser(initdb, data);
  if (user.ids) chownSync(data, user.ids.uid, user.ids.gid);
  const { file, args, ids } = user.command(initdb, [`--pgdata=${data}`, '--username=postgres', '--no-sync']);
  const made = spawnSync(file, args, {
    ...ids,
    cwd: data,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], LC_ALL: 'C' },
  });
  expect(made.stderr).not.toMatch(/Permission denied/);
  expect(made.status).toBe(0);
});
