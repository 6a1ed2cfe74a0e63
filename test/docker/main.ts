import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { optionsOrEnd } from '../options-or-end.js';
import { baseImage } from './base-image.js';
import { findDocker } from './docker-daemon.js';
import { buildImages, isOldNats } from './images.js';
import { tryOneOfEach } from './one-of-each.js';
import { replicasFile, tryReplicas } from './replicas/try-replicas.js';
import { dockerProgram, hasProgram, runCommand } from './run-command.js';
import { prepareStack, type Stack } from './stack.js';

/**
 * `npm run test:docker`: builds the images, brings docker-compose.yml up and tries it; with `--replicas` two of each
 * service, under load, while they are killed. Nothing in it reaches outside, but the builds, which get packages as
 * every build does. Where there is no Docker it says so and ends well.
 */
const help = `The images and docker-compose.yml, tried on a real Docker.

  npm run test:docker -- [options]
    --compilers    builds the workspace image with compilers too
    --replicas     two of each service under load, while they are killed
    --seed N       with --replicas: the faults of an earlier run, at the same times`;

const { values, seed } = optionsOrEnd(help, readOptions);

const root = fileURLToPath(new URL('../../../', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'roost-docker-'));
const say = (line: string) => console.log(line);

const daemon = await findDocker(folder);
if (typeof daemon === 'string') {
  say(`test:docker is skipped: ${daemon}`);
  rmSync(folder, { recursive: true, force: true });
  process.exit(0);
}
const { socket } = daemon;
process.env['DOCKER_HOST'] = `unix://${socket}`;
const program = await dockerProgram();
const docker = (...args: string[]) =>
  runCommand(program, args, { env: { ...process.env, DOCKER_BUILDKIT: '1' }, timeoutMs: 1_800_000 });
let stack: Stack | undefined;
// Asked to stop, it leaves nothing behind either.
const stopped = new Promise<never>((_, reject) => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => reject(new Error(`${signal} came`)));
});
try {
  await Promise.race([run(), stopped]);
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  await stack?.compose('down', '-v', '--remove-orphans').catch((error: unknown) => console.error(error));
  await removeAgents(stack?.project).catch((error: unknown) => console.error(error));
  await removeRemains(stack?.project).catch((error: unknown) => console.error(error));
  await daemon.stop();
  rmSync(folder, { recursive: true, force: true });
}
// What was under way when it was stopped would go on.
process.exit();

async function run(): Promise<void> {
  const base = await baseImage(folder, docker);
  if (base.startsWith('!')) return say(`test:docker is skipped: ${base.slice(1)}`);
  const images = await buildImages({ root, folder, base, docker, say, withCompilers: values.compilers });
  const files = values.replicas ? [replicasFile(root)] : [];
  stack = await prepareStack({ root, folder, socket, images, files, isOldNats: await isOldNats(images.nats, docker) });
  if (values.replicas) await tryReplicas({ stack, socket, seed, say });
  else await tryOneOfEach({ root, stack, images, docker, say });
  say('test:docker: all of it holds');
}

function readOptions(args: string[]) {
  const { values } = parseArgs({
    args,
    options: {
      replicas: { type: 'boolean', default: false },
      seed: { type: 'string', default: String(randomInt(2 ** 32)) },
      compilers: { type: 'boolean', default: false },
    },
  });
  if (!/^\d+$/.test(values.seed)) throw new Error('--seed is a whole number');
  return { values, seed: Number(values.seed) };
}

async function removeAgents(project: string | undefined): Promise<void> {
  if (project === undefined || !(await hasProgram('docker', ['version']))) return;
  const label = `label=io.roost.instance=${project}`;
  for (const id of lines(await docker('ps', '-aq', '--filter', label))) await docker('rm', '-f', id);
  for (const id of lines(await docker('volume', 'ls', '-q', '--filter', label))) await docker('volume', 'rm', id);
}

/** What `down` did not come to: it stops where Docker holds on to the network of a container that was killed. */
async function removeRemains(project: string | undefined): Promise<void> {
  if (project === undefined || !(await hasProgram('docker', ['version']))) return;
  for (const kind of ['volume', 'network']) {
    const found = lines(await docker(kind, 'ls', '-q', '--filter', `label=com.docker.compose.project=${project}`));
    for (const id of found) {
      await docker(kind, 'rm', id).catch(() =>
        say(`Docker does not let go of the ${kind} ${id} until it is restarted`),
      );
    }
  }
}

function lines(text: string): string[] {
  return text.split('\n').filter(Boolean);
}
