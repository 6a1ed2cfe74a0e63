import { cpSync, mkdirSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { dockerProgram, hasProgram, runCommand } from './run-command.js';

const tag = 'roost-test-base:local';

/**
 * A base image for the builds: the one that BASE names, else Debian by debootstrap with this machine's Node in it. A
 * text that begins with `!`: why there is none.
 */
export async function baseImage(folder: string, docker: (...args: string[]) => Promise<string>): Promise<string> {
  const { BASE } = process.env;
  if (BASE) return BASE;
  if (await docker('image', 'inspect', tag).catch(() => '')) return tag;
  if (process.getuid?.() !== 0) return '!BASE names no image, and only root can make one by debootstrap';
  if (!(await hasProgram('debootstrap'))) return '!BASE names no image, and debootstrap is not installed';
  const root = join(folder, 'base');
  const suite = /^VERSION_CODENAME=(\w+)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'stable';
  await runCommand('debootstrap', ['--variant=minbase', '--include=ca-certificates', suite, root, await mirror()]);
  for (const path of ['usr/share/doc', 'usr/share/man', 'usr/share/locale', 'var/cache/apt/archives'])
    rmSync(join(root, path), { recursive: true, force: true });
  addNode(root);
  cpSync('/etc/ssl/certs/ca-certificates.crt', join(root, 'etc/ssl/certs/ca-certificates.crt'));
  await runCommand('sh', ['-c', 'tar -C "$1" -c . | "$3" import - "$2"', 'import', root, tag, await dockerProgram()]);
  rmSync(root, { recursive: true, force: true });
  return tag;
}

/** Where this machine gets its own packages from. */
async function mirror(): Promise<string> {
  const sites = await runCommand('apt-get', ['indextargets', '--format', '$(SITE) $(ORIGIN)']);
  return (
    sites
      .split('\n')
      .find((line) => line.endsWith(' Debian'))
      ?.split(' ')[0] ?? ''
  );
}

function addNode(root: string): void {
  const node = realpathSync(process.execPath);
  // Node by npm comes without npm: it is the one that runs this script.
  const { npm_execpath: npmProgram } = process.env;
  if (!npmProgram) throw new Error('run this as npm run test:docker, so that it knows where npm is');
  const npm = dirname(dirname(realpathSync(npmProgram)));
  const local = join(root, 'usr/local');
  mkdirSync(join(local, 'lib/node_modules'), { recursive: true });
  cpSync(node, join(local, 'bin/node'));
  cpSync(npm, join(local, 'lib/node_modules/npm'), { recursive: true, verbatimSymlinks: true });
  for (const name of ['npm', 'npx'])
    symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, join(local, 'bin', name));
}
