import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { temporaryFolder } from '#lib/testing';

const run = promisify(execFile);
const built = fileURLToPath(new URL('../../../dist/packages/', import.meta.url));

/**
 * Packs what `npm publish` would take of these packages, and installs it in a new folder outside of the project, without
 * a registry: what they need besides is not there. Gives the folder.
 */
export async function installPackages(...names: ('sdk' | 'cli')[]): Promise<string> {
  const folder = temporaryFolder();
  const archives = await Promise.all(
    names.map(async (name) => {
      const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: join(built, name) });
      const [{ filename = '' } = {}] = JSON.parse(stdout) as { filename: string }[];
      return join(folder, filename);
    }),
  );
  writeFileSync(join(folder, 'package.json'), '{"type":"module","private":true}');
  await run('npm', ['install', '--offline', '--no-audit', '--no-fund', ...archives], { cwd: folder });
  return folder;
}
