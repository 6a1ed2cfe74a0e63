/**
 * Runs `npm ci` when node_modules is missing or differs from package-lock.json, and only then.
 * Plain JavaScript without dependencies, for Node 20.19: it must run before there are any, and before Node 24 is there.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));
const lockFile = join(root, 'package-lock.json');
const installedLockFile = join(root, 'node_modules', '.package-lock.json');
const markerFile = join(root, 'node_modules', '.roost-installed');

/** Errors: the last words of npm, with what to do. */
export async function ensureDependencies() {
  const wanted = createHash('sha256').update(readFileSync(lockFile)).digest('hex');
  if (existsSync(markerFile) && readFileSync(markerFile, 'utf8') === wanted) return;
  if (!isInstalled()) {
    const done = announce('Installing dependencies (npm ci)');
    await run('npm', ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']);
    done();
  }
  writeFileSync(markerFile, wanted);
}

/** An `npm install` by hand leaves no marker of ours; npm's own record of what is installed then answers. */
function isInstalled() {
  if (!existsSync(installedLockFile)) return false;
  const wanted = JSON.parse(readFileSync(lockFile, 'utf8')).packages;
  const present = JSON.parse(readFileSync(installedLockFile, 'utf8')).packages;
  return Object.entries(wanted).every(
    ([path, { version, optional }]) =>
      path === '' || present[path]?.version === version || (optional && !present[path]),
  );
}

/** Says what goes on, and every ten seconds that it still does. The returned function says that it is done. */
export function announce(what) {
  const startedAt = Date.now();
  const elapsed = () => `${((Date.now() - startedAt) / 1000).toFixed(1)} s`;
  console.error(`${what} …`);
  const timer = setInterval(() => console.error(`  … ${elapsed()}`), 10_000);
  timer.unref();
  return () => {
    clearInterval(timer);
    console.error(`  done (${elapsed()})`);
  };
}

/** Runs a program in the project's root, its errors shown. */
export function run(program, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: root,
      stdio: ['ignore', 'ignore', 'inherit'],
      shell: process.platform === 'win32',
    });
    child.once('error', reject);
    child.once('exit', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`"${[program, ...args].join(' ')}" failed; its messages are above.`));
    });
  });
}

if (process.argv[1] === import.meta.filename) {
  try {
    await ensureDependencies();
  } catch (error) {
    console.error(`Roost: ${error.message}`);
    process.exit(1);
  }
}
