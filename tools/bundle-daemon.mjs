/**
 * Bundles the workspace daemon: `node tools/bundle-daemon.mjs OUTFILE`. It must be one file because a sandbox is shown
 * that file and nothing else of ours, and a small one because a cold workspace waits until it is compiled and evaluated.
 */
import { build } from 'esbuild';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Leaves out what the daemon carries but never calls: half of the file and of the time to load it. */
const unused = {
  name: 'unused',
  setup(bundler) {
    // zod keeps its messages in fifty languages reachable; English is imported by itself.
    bundler.onLoad({ filter: /[\\/]zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({ contents: 'export {};' }));
    // Contracts only declare: those of other services' requests need not be made.
    bundler.onResolve({ filter: /^(#lib\/contracts$|\.\/)/ }, async ({ path, pluginData, ...from }) => {
      if (pluginData === unused) return undefined;
      const found = await bundler.resolve(path, { ...from, pluginData: unused });
      return /[\\/]libs[\\/]contracts[\\/]src[\\/]/.test(found.path) ? { ...found, sideEffects: false } : found;
    });
  },
};

/** @param {string} outfile */
export async function bundleDaemon(outfile) {
  await build({
    absWorkingDir: root,
    entryPoints: ['apps/workspace/src/main.ts'],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    // A bundled CommonJS dependency calls require(), which an ES module does not have.
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    tsconfig: 'tsconfig.json',
    minify: true,
    keepNames: true,
    logLevel: 'warning',
    plugins: [unused],
  });
}

const [, script, outfile] = process.argv;
if (outfile && script && import.meta.url === pathToFileURL(script).href) await bundleDaemon(resolve(outfile));
