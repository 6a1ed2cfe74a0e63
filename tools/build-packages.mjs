/**
 * Makes the published form of packages/ in dist/packages/: each folder there is what `npm publish` would take, with the
 * version of the project.
 */
import { build } from 'esbuild';
import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const { version } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));

export async function buildPackages() {
  await bundlePackage('sdk', { platform: 'neutral', target: 'es2022' });
  // The SDK and the parser are in it: a program that starts as quickly as one file, and is installed as one.
  await bundlePackage('cli', {
    platform: 'node',
    target: 'node20',
    // As modules: of the form for require, esbuild would keep all of it, and calls that modules cannot make.
    alias: { yaml: `${root}node_modules/yaml/browser/index.js` },
    banner: { js: '#!/usr/bin/env node' },
    legalComments: 'eof',
  });
  chmodSync(`${root}dist/packages/cli/index.js`, 0o755);
}

async function bundlePackage(name, options) {
  const [from, to] = [`${root}packages/${name}/`, `${root}dist/packages/${name}/`];
  mkdirSync(to, { recursive: true });
  const manifest = JSON.parse(readFileSync(`${from}package.json`, 'utf8'));
  writeFileSync(`${to}package.json`, `${JSON.stringify({ ...manifest, version }, null, 2)}\n`);
  copyFileSync(`${from}README.md`, `${to}README.md`);
  copyFileSync(`${root}LICENSE`, `${to}LICENSE`);
  await build({
    absWorkingDir: root,
    entryPoints: [`packages/${name}/src/index.ts`],
    outfile: `${to}index.js`,
    bundle: true,
    format: 'esm',
    tsconfig: 'tsconfig.json',
    keepNames: false,
    logLevel: 'warning',
    ...options,
  });
}
