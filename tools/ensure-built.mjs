/**
 * Installs and builds what is missing or older than the sources, and only then. Plain JavaScript without dependencies.
 * Run as a program it does that and exits; tools/start.mjs imports it.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { announce, ensureDependencies, root, run } from './ensure-dependencies.mjs';

const stampFile = join(root, 'dist', '.sources');
const lockFile = join(root, 'node_modules', '.roost-build');
const sourceFolders = ['apps', 'libs', 'packages', 'tools', 'bench', 'test'];
const examples = 'apps/gateway/src/openapi/examples.json';
const buildFiles = ['.swcrc', 'tsconfig.json', 'tsconfig.base.json', 'package.json', examples];

/** Resolves when dist/ holds the present sources. Two that ask at once build once. */
export async function ensureBuilt() {
  await ensureDependencies();
  if (isFresh()) return;
  await lockBuild();
  try {
    if (isFresh()) return;
    const done = announce('Building');
    const digest = sourceDigest();
    await run(process.execPath, ['tools/build.mjs']);
    writeFileSync(stampFile, digest);
    done();
  } finally {
    rmSync(lockFile, { force: true });
  }
}

function isFresh() {
  return existsSync(stampFile) && readFileSync(stampFile, 'utf8') === sourceDigest();
}

/** Of names, sizes and times, not contents: cheap enough for every start. */
function sourceDigest() {
  const hash = createHash('sha256');
  const add = (path) => {
    const { size, mtimeMs } = statSync(join(root, path));
    hash.update(`${path}\0${size}\0${mtimeMs}\n`);
  };
  for (const file of buildFiles) add(file);
  for (const folder of sourceFolders) {
    if (!existsSync(join(root, folder))) continue;
    for (const name of readdirSync(join(root, folder), { recursive: true }).sort()) {
      if (/\.(tsx?|mjs|css|html|svg)$/.test(name) && !name.endsWith('.spec.ts')) add(join(folder, name));
    }
  }
  return hash.digest('hex');
}

async function lockBuild() {
  for (;;) {
    try {
      writeFileSync(lockFile, String(process.pid), { flag: 'wx' });
      return;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    if (!holderRuns()) rmSync(lockFile, { force: true });
    else await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

function holderRuns() {
  try {
    process.kill(Number(readFileSync(lockFile, 'utf8')), 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

if (process.argv[1] === import.meta.filename) {
  try {
    await ensureBuilt();
  } catch (error) {
    console.error(`Roost: ${error.message}`);
    process.exit(1);
  }
}
