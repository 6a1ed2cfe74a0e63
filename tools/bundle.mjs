/**
 * Makes one file of a program and all that it imports: `node tools/bundle.mjs ENTRY OUTFILE`. The workspace daemon is
 * one because a sandbox is shown that file and nothing else of ours, and a small one because a cold workspace waits until
 * it is compiled and evaluated.
 */
import { build } from 'esbuild';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const require = createRequire(import.meta.url);
const root = fileURLToPath(new URL('..', import.meta.url));

/** Leaves out what is carried along and never called: a third of the daemon's file, half of the time to load it. */
const unused = {
  name: 'unused',
  setup(bundler) {
    // zod keeps its messages in fifty languages reachable; English is imported by itself.
    bundler.onLoad({ filter: /[\\/]zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({ contents: 'export {};' }));
    // Contracts only declare: those that a program does not name need not be made.
    bundler.onResolve({ filter: /^(#lib\/contracts$|\.\/)/ }, async ({ path, pluginData, ...from }) => {
      if (pluginData === unused) return undefined;
      const found = await bundler.resolve(path, { ...from, pluginData: unused });
      return /[\\/]libs[\\/]contracts[\\/]src[\\/]/.test(found.path) ? { ...found, sideEffects: false } : found;
    });
  },
};

/** What Node cannot keep in a snapshot is asked of it when it is first used. */
const late = {
  name: 'late',
  setup(bundler) {
    bundler.onResolve({ filter: /^(node:)?(http2|tls)$/ }, ({ path, namespace }) =>
      namespace === late.name ? { path, external: true } : { path, namespace: late.name },
    );
    bundler.onLoad({ filter: /.*/, namespace: late.name }, ({ path }) => ({
      contents: Object.keys(require(path))
        .map(
          (name) =>
            `Object.defineProperty(exports, '${name}', { get: () => require('${path}').${name}, enumerable: true });`,
        )
        .join('\n'),
    }));
  },
};

/**
 * @param {string} entry absolute, or relative to the project's folder
 * @param {string} outfile an ES module, or with the ending `.cjs` a script, the only thing that a snapshot is made from
 */
export async function bundle(entry, outfile) {
  const isScript = outfile.endsWith('.cjs');
  await build({
    absWorkingDir: root,
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: isScript ? 'cjs' : 'esm',
    // A bundled CommonJS dependency calls require(), which an ES module does not have.
    banner: isScript
      ? {}
      : { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    tsconfig: 'tsconfig.json',
    minify: true,
    keepNames: true,
    logLevel: 'warning',
    plugins: [unused, late],
  });
}

const [, script, entry, outfile] = process.argv;
if (entry && outfile && script && import.meta.url === pathToFileURL(script).href) await bundle(entry, resolve(outfile));
