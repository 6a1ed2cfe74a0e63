import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const bundler = fileURLToPath(new URL('../../../tools/bundle.mjs', import.meta.url));

/**
 * Makes one file of a program (absolute path, or relative to the project's folder), as the build does of the workspace
 * daemon, and gives that file's path: tests run the present sources without `dist`.
 */
export async function bundleProgram(entry: string, outfile: string): Promise<string> {
  await promisify(execFile)(process.execPath, [bundler, entry, outfile]);
  return outfile;
}
