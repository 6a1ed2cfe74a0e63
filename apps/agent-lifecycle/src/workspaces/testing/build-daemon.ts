import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const bundler = fileURLToPath(new URL('../../../../../tools/bundle-daemon.mjs', import.meta.url));

/** Builds the workspace daemon of the present sources into `folder` and gives its path: tests run without `dist`. */
export async function buildDaemon(folder: string): Promise<string> {
  const outfile = join(folder, 'workspace-daemon.mjs');
  await promisify(execFile)(process.execPath, [bundler, outfile]);
  return outfile;
}
