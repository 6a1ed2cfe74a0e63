import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasProgram, runCommand } from './run-command.js';

export interface StackInput {
  /** The project's root. */
  root: string;
  /** Temporary; holds the secrets. */
  folder: string;
  socket: string;
  images: { services: string; workspace: string; postgres: string; nats: string };
  /** The nats-server in the image is older than 2.10, which knows no `sync_interval: always`. */
  isOldNats: boolean;
  /** Compose files to lay over, with the environment that they name. */
  files: { path: string; env: Record<string, string> }[];
}

export interface Stack {
  project: string;
  apiKey: string;
  /** Runs docker-compose on the stack. */
  compose(...args: string[]): Promise<string>;
}

/** The stack of docker-compose.yml, ready to be brought up, in networks that lead nowhere. */
export async function prepareStack(input: StackInput): Promise<Stack> {
  const { root, folder, socket, images } = input;
  const project = `roost-test-${process.pid}`;
  const secrets = join(folder, 'secrets');
  mkdirSync(secrets);
  const natsConf = join(folder, 'nats.conf');
  const conf = readFileSync(join(root, 'deploy/docker/nats.conf'), 'utf8');
  writeFileSync(natsConf, input.isOldNats ? conf.replace(/^ *sync_interval.*\n/m, '') : conf);
  const { PATH, HOME } = process.env;
  const env = {
    PATH,
    HOME,
    DOCKER_HOST: `unix://${socket}`,
    DOCKER_SOCKET: socket,
    ROOST_IMAGE: images.services,
    ROOST_WORKSPACE_IMAGE: images.workspace,
    POSTGRES_IMAGE: images.postgres,
    NATS_IMAGE: images.nats,
    ROOST_SECRETS: secrets,
    ROOST_DOCKER_INSTANCE: project,
    ROOST_TEST_NATS_CONF: natsConf,
    ...Object.assign({}, ...input.files.map((file) => file.env)),
  };
  const isPlugin = await hasProgram('docker', ['compose', 'version']);
  const paths = [join(root, 'docker-compose.yml'), join(root, 'test/docker/compose.test.yml')];
  const files = [...paths, ...input.files.map(({ path }) => path)].flatMap((path) => ['-f', path]);
  const compose = (...args: string[]) => {
    const all = ['-p', project, ...files, ...args];
    return isPlugin
      ? runCommand('docker', ['compose', ...all], { env, cwd: root })
      : runCommand('docker-compose', all, { env, cwd: root });
  };
  await compose('run', '--rm', 'setup');
  return { project, apiKey: readFileSync(join(secrets, 'api-key'), 'utf8').trim(), compose };
}
