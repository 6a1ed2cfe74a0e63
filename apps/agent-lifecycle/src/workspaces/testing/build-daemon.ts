import { build } from 'esbuild';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Builds the workspace daemon of the present sources into `folder` and gives its path: tests run without `dist`. */
export async function buildDaemon(folder: string): Promise<string> {
  const outfile = join(folder, 'workspace-daemon.mjs');
  await build({
    absWorkingDir: fileURLToPath(new URL('../../../../../', import.meta.url)),
    entryPoints: ['apps/workspace/src/main.ts'],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    tsconfig: 'tsconfig.json',
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  });
  return outfile;
}
