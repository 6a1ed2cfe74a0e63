import { createHash } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { RoostError } from '#lib/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDirectory } from './directories/directories.js';
import { deleteDirectory } from './directories/directories.js';
import { listDirectory } from './directories/list-directory.js';
import { deleteFile } from './files/write-file.js';
import { patchFile } from './files/patch-file.js';
import { readFile } from './files/read-file.js';
import { writeFile } from './files/write-file.js';
import { getMetadata } from './metadata/metadata.js';
import { copyFiles } from './operations/copy.js';
import { deletePaths } from './operations/delete.js';
import { moveFiles } from './operations/move.js';
import { Volume } from './tree/volume.js';

const agentId = 'a';
const canary = 'canary of the outside';
let top: string;
let volume: Volume;

beforeAll(() => {
  top = mkdtempSync(join(tmpdir(), 'roost-hostile-'));
  mkdirSync(join(top, 'volume/dir'), { recursive: true });
  mkdirSync(join(top, 'outside/deep'), { recursive: true });
  for (const name of ['outside/secret', 'outside/deep/secret']) writeFileSync(join(top, name), canary);
  writeFileSync(join(top, 'volume/dir/file'), 'inside');
  volume = new Volume(join(top, 'volume'));
});

afterAll(() => rmSync(top, { recursive: true, force: true }));

/** Names, contents and modes of everything outside. */
function hashOutside(): string {
  const hash = createHash('sha256');
  for (const name of readdirSync(join(top, 'outside'), { recursive: true }).map(String).sort()) {
    const stats = statSync(join(top, 'outside', name));
    hash.update(
      `${name} ${stats.mode} ${stats.size} ${stats.isFile() ? readFileSync(join(top, 'outside', name), 'utf8') : ''}\n`,
    );
  }
  return hash.update(readdirSync(top).sort().join()).digest('hex');
}

/** Every call that takes a path. What it returns is searched for the canary. */
const calls: Record<string, (path: string) => Promise<unknown>> = {
  read: (path) => readFile(volume, { agentId, path, encoding: 'utf-8' }),
  write: (path) => writeFile(volume, { agentId, path, content: 'x', encoding: 'utf-8', overwrite: true }),
  patch: (path) => patchFile(volume, { agentId, path, operation: 'append', content: 'x', encoding: 'utf-8' }),
  list: (path) => listDirectory(volume, { agentId, path, recursive: true, limit: 1_000 }),
  metadata: (path) => getMetadata(volume, { agentId, path }),
  makeDirectory: (path) => createDirectory(volume, { agentId, path, recursive: true }),
  copyFrom: (path) =>
    copyFiles(volume, { agentId, operations: [{ source: path, destination: 'dir/copy', overwrite: true }] }).then(() =>
      readFile(volume, { agentId, path: 'dir/copy', encoding: 'utf-8' }),
    ),
  copyTo: (path) =>
    copyFiles(volume, { agentId, operations: [{ source: 'dir/file', destination: path, overwrite: true }] }),
  moveTo: (path) =>
    moveFiles(volume, { agentId, operations: [{ source: 'dir/moved', destination: path, overwrite: true }] }),
  deleteFile: (path) => deleteFile(volume, { agentId, path }),
  deleteDirectory: (path) => deleteDirectory(volume, { agentId, path, recursive: false }),
  deleteMany: (path) => deletePaths(volume, { agentId, paths: [path], recursive: false }),
};

function hostilePaths(): string[] {
  const ups = [
    '..',
    '../..',
    '../../..',
    './..',
    'dir/../..',
    'dir/file/../../..',
    '....//..',
    '..;/..',
    '%2e%2e',
    '..%2f',
    '\\..\\..',
    '\\x2e\\x2e',
    '．．',
    '..\u200b',
    '.. ',
    ' ..',
    '..\t',
    '\u202e..',
    '..\u0000',
    '/..',
    '//..',
    '/workspace/..',
    'workspace/..',
    '/workspace//..',
    '/workspace/./..',
    'up',
    'up/up',
    'abs',
    'dir/up',
  ];
  const tails = [
    '',
    '/',
    'outside',
    'outside/secret',
    'outside/deep/secret',
    'outside/new',
    '../outside/secret',
    './outside/./secret',
    'outside/../outside/secret',
    'volume/../outside/secret',
  ];
  const roots = [
    '/',
    '/etc/passwd',
    '/proc/self/environ',
    '/proc/self/mem',
    '/proc/1/root/etc/shadow',
    '/dev/null',
    '/dev/stdin',
    '/proc/self/fd/0',
    '/run/roost/node',
    'file:///etc/passwd',
    '~/x',
    '~root',
    '$HOME',
    '`id`',
    '*',
    'C:\\x',
    '\\\\host\\x',
    'CON',
    '.roost',
    '.roost/drafts',
    '.roost/../.roost/tags.json',
    'dir/../.roost/tags.json',
    'secret-link',
    'dir/secret-link',
    'outside-link',
    'outside-link/secret',
    'outside-link/deep',
    'outside-link/new',
    'loop',
    'loop/x',
    'chain',
    'chain/secret',
    'proc-link',
    'proc-link/self/environ',
    'fd-link',
    'fd-link/secret',
  ];
  const depths = Array.from({ length: 40 }, (_, depth) => `${'../'.repeat(depth + 1)}`);
  const joined = [...ups, ...depths].flatMap((up) =>
    tails.flatMap((tail) => [`${up}/${tail}`, `dir/${up}/${tail}`, `dir/../dir/${up}/${tail}`, `./${up}//${tail}`]),
  );
  return [...new Set([...roots, ...roots.map((root) => `dir/../${root}`), ...joined])];
}

describe('hostile paths', () => {
  it('lead out of the volume by no call', async () => {
    const root = join(top, 'volume');
    const links: [string, string][] = [
      ['up', '..'],
      ['dir/up', '../..'],
      ['abs', top],
      ['secret-link', '../outside/secret'],
      ['dir/secret-link', join(top, 'outside/secret')],
      ['outside-link', '../outside'],
      ['loop', 'loop'],
      ['chain', 'outside-link'],
      ['proc-link', '/proc'],
      ['fd-link', '/proc/self/cwd'],
    ];
    const restore = () => {
      mkdirSync(join(root, 'dir'), { recursive: true });
      writeFileSync(join(root, 'dir/file'), 'inside');
      writeFileSync(join(root, 'dir/moved'), 'moved');
      for (const [name, target] of links) {
        rmSync(join(root, name), { recursive: true, force: true });
        symlinkSync(target, join(root, name));
      }
    };
    restore();
    const before = hashOutside();
    const paths = hostilePaths();
    let attempts = 0;
    for (const [name, call] of Object.entries(calls)) {
      for (const path of paths) {
        attempts += 1;
        const result: unknown = await call(path).catch((error: unknown) => error);
        if (result instanceof Error) expect(result, `${name} ${JSON.stringify(path)}`).toBeInstanceOf(RoostError);
        const shown = result instanceof Error ? result.message : JSON.stringify(result);
        expect(shown, `${name} ${JSON.stringify(path)}`).not.toMatch(/canary|root:x/);
      }
      restore();
    }
    expect(hashOutside()).toBe(before);
    expect(paths.length).toBeGreaterThanOrEqual(2_500);
    console.log(`hostile paths: ${paths.length} paths, ${attempts} calls, 0 bytes outside read or written`);
  });
});

describe('a race of swapped links', () => {
  it('never makes a call read or write outside', async () => {
    const root = join(top, 'volume');
    const operations = Number(process.env['ROOST_RACE_OPERATIONS'] ?? 15_000);
    mkdirSync(join(root, 'race/a'), { recursive: true });
    writeFileSync(join(root, 'race/a/secret'), 'inside');
    symlinkSync(join(top, 'outside'), join(root, 'race/b'));
    writeFileSync(join(root, 'race/f'), 'inside');
    symlinkSync(join(top, 'outside/secret'), join(root, 'race/g'));
    const before = hashOutside();
    // Two flippers: a directory against a link, and a file against a link, as fast as the file system lets them.
    const flip = (one: string, two: string) =>
      new Worker(
        // A write may make the directory anew between two renames: then it is in the way, and goes.
        `const { renameSync, rmSync } = require('node:fs');
         const { workerData: [one, two] } = require('node:worker_threads');
         const inTheWay = ['EISDIR', 'ENOTDIR', 'EEXIST', 'ENOTEMPTY'];
         const move = (from, to) => {
           for (;;) {
             try {
               return renameSync(from, to);
             } catch (error) {
               if (!inTheWay.includes(error.code)) throw error;
               try {
                 rmSync(to, { recursive: true, force: true });
               } catch (refilled) {
                 if (!inTheWay.includes(refilled.code)) throw refilled;
               }
             }
           }
         };
         for (;;) {
           move(one, one + '.t');
           move(two, one);
           move(one + '.t', two);
         }`,
        { eval: true, workerData: [one, two] },
      );
    const flippers = [
      flip(join(root, 'race/a'), join(root, 'race/b')),
      flip(join(root, 'race/f'), join(root, 'race/g')),
    ];
    let inside = 0;
    let refused = 0;
    const work: (() => Promise<unknown>)[] = [
      () => readFile(volume, { agentId, path: 'race/a/secret', encoding: 'utf-8' }),
      () => readFile(volume, { agentId, path: 'race/f', encoding: 'utf-8' }),
      () => patchFile(volume, { agentId, path: 'race/f', operation: 'append', content: '', encoding: 'utf-8' }),
      () => writeFile(volume, { agentId, path: 'race/a/new', content: 'mine', encoding: 'utf-8', overwrite: true }),
      () => listDirectory(volume, { agentId, path: 'race/a', recursive: true, limit: 10 }),
      () => getMetadata(volume, { agentId, path: 'race/a/secret' }),
    ];
    try {
      for (let done = 0; done < operations; done += 50) {
        const results = await Promise.allSettled(
          Array.from({ length: 50 }, (_, index) => work[(done + index) % work.length]?.() ?? Promise.resolve()),
        );
        for (const result of results) {
          if (result.status === 'fulfilled') inside += 1;
          else refused += 1;
          const shown = result.status === 'fulfilled' ? JSON.stringify(result.value) : String(result.reason);
          if (/canary|deep/.test(shown)) throw new Error(`read outside: ${shown}`);
        }
      }
    } finally {
      await Promise.all(flippers.map((flipper) => flipper.terminate()));
    }
    expect(hashOutside()).toBe(before);
    expect(inside).toBeGreaterThan(0);
    expect(refused).toBeGreaterThan(0);
    console.log(
      `swap race: ${operations} calls, ${inside} done inside, ${refused} refused, 0 bytes outside read or written`,
    );
  }, 600_000);
});
