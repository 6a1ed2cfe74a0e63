/**
 * Builds Roost into dist/: SWC for every room, esbuild for the workspace daemon,
 * which must be one file because a sandbox is shown that file and nothing else of ours.
 */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
rmSync(`${root}dist`, { recursive: true, force: true });

const swc = spawnSync(
  process.execPath,
  [
    'node_modules/@swc/cli/bin/swc.js',
    'apps',
    'libs',
    'tools',
    'bench',
    'test',
    '-d',
    'dist',
    '--config-file',
    '.swcrc',
    '--ignore',
    '**/*.spec.ts',
    '--extensions',
    '.ts',
    '--quiet',
  ],
  { cwd: root, stdio: 'inherit' },
);
if (swc.status !== 0) process.exit(swc.status ?? 1);

const { build } = await import('esbuild');
await build({
  absWorkingDir: root,
  entryPoints: ['apps/workspace/src/main.ts'],
  outfile: 'dist/workspace-daemon.mjs',
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
});
