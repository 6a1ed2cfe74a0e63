/**
 * Makes dist/dashboard, the static files that the gateway serves. They are made anew only when what they are made of has
 * changed: the last result is kept in node_modules/.cache, since a build begins with an empty dist/.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

const root = fileURLToPath(new URL('..', import.meta.url));
const output = `${root}dist/dashboard`;
const cache = `${root}node_modules/.cache/dashboard`;
const sources = ['apps/dashboard', 'packages/sdk/src', 'package-lock.json', 'tools/build-dashboard.mjs'];

export async function buildDashboard() {
  const digest = sourceDigest();
  const stamp = `${cache}/.sources`;
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) {
    cpSync(`${cache}/files`, output, { recursive: true });
    return;
  }
  const vite = spawn(
    process.execPath,
    ['node_modules/vite/bin/vite.js', 'build', 'apps/dashboard', '--logLevel', 'warn'],
    {
      cwd: root,
      stdio: 'inherit',
      // React chooses its smaller form by it.
      env: { ...process.env, NODE_ENV: 'production' },
    },
  );
  const [code] = await once(vite, 'exit');
  if (code !== 0) process.exit(code ?? 1);
  await compressAll();
  rmSync(cache, { recursive: true, force: true });
  cpSync(output, `${cache}/files`, { recursive: true });
  writeFileSync(stamp, digest);
}

/** By contents, unlike the digest of the whole build: a clone or a checkout changes times alone. */
function sourceDigest() {
  const hash = createHash('sha256');
  const add = (path) => hash.update(`${path}\0`).update(readFileSync(`${root}${path}`));
  for (const source of sources) {
    if (/\.\w+$/.test(source)) add(source);
    else
      for (const entry of readdirSync(`${root}${source}`, { recursive: true, withFileTypes: true }).sort(byPath))
        if (entry.isFile() && !entry.name.includes('.spec.')) add(pathOf(entry).slice(root.length));
  }
  return hash.digest('hex');
}

/** Once, as small as it gets; the gateway sends the smaller one that a browser takes. */
async function compressAll() {
  const files = readdirSync(output, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(js|css|html|svg|json)$/.test(entry.name))
    .map(pathOf);
  const brotli = { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } };
  await Promise.all(
    files.map(async (file) => {
      const content = readFileSync(file);
      writeFileSync(`${file}.gz`, await promisify(gzip)(content, { level: 9 }));
      writeFileSync(`${file}.br`, await promisify(brotliCompress)(content, brotli));
    }),
  );
}

const pathOf = ({ parentPath, name }) => `${parentPath}/${name}`;
const byPath = (a, b) => (pathOf(a) < pathOf(b) ? -1 : 1);

if (process.argv[1] === import.meta.filename) await buildDashboard();
