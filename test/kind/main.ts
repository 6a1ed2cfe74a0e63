import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { helmProgram } from '#tools/helm';
import { optionsOrEnd } from '../options-or-end.js';
import { openCluster } from './cluster.js';
import { type ClusterKind, findPrograms, run } from './programs.js';
import { Installation } from './steps.js';

const help = `Roost on a cluster of kind or k3d, from nothing to nothing.

  deploy/kind/try.sh [options]
    --with kind|k3d   which makes the cluster; by default the one that is there, kind before k3d
    --name NAME       the cluster's name, roost-try by default; one that is there is used, and stays
    --from REVISION   the version to install first and to upgrade from; by default the newest tag before this one
    --keep            leaves the cluster as it is at the end
    --delete          only deletes the cluster of that name
    --dry-run         only says what it would do, and what is missing here
    --help

Environment: BASE is the base image of the builds. Takes some 15 minutes, 4 processors and 8 GiB.
Ends with 0 when all of it held, 1 when something did not, 2 when something is missing here.`;

const options = optionsOrEnd(help, readOptions);
const root = fileURLToPath(new URL('../../../', import.meta.url));
const say = (line: string) => console.log(line);
const folder = mkdtempSync(join(tmpdir(), 'roost-kind-'));
// A program that is missing leaves the timer of its call behind, which would be waited for.
process.exit(await main().finally(() => rmSync(folder, { recursive: true, force: true })));

async function main(): Promise<number> {
  const found = await findPrograms(options.with);
  if ('missing' in found) {
    for (const what of found.missing) say(`missing: ${what}`);
    if (!options.dryRun) return 2;
  }
  const kind = 'missing' in found ? (options.with ?? 'kind') : found.kind;
  const { name, from } = options;
  if (options.delete) {
    const cluster = await openExisting(kind);
    await cluster?.delete();
    say(cluster ? `the cluster ${name} is deleted` : `there is no cluster ${name}`);
    return 0;
  }
  const helm = await helmProgram();
  const installation = new Installation({ root, folder, kind, name, from, helm, run, say });
  if (options.dryRun) {
    say(`with ${kind}, in the cluster ${name}:`);
    for (const [index, [title]] of installation.steps.entries()) say(`${index + 1}. ${title}`);
    return 'missing' in found ? 2 : 0;
  }
  // Asked to stop, it leaves nothing behind either.
  const stopped = new Promise<never>((_, reject) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const)
      process.once(signal, () => reject(new Error(`${signal} came`)));
  });
  try {
    for (const [index, [title, step]] of installation.steps.entries()) {
      say(`${index + 1}. ${title}`);
      await Promise.race([step(), stopped]);
    }
    say('all of it holds');
    return 0;
  } catch (error) {
    say(`FAILED: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  } finally {
    await installation.close(options.keep).catch((error: unknown) => say(String(error)));
    // A worktree of the version before, whose folder goes now.
    rmSync(folder, { recursive: true, force: true });
    await run('git', ['-C', root, 'worktree', 'prune']).catch(() => undefined);
  }
}

async function openExisting(kind: ClusterKind) {
  const list = kind === 'kind' ? ['get', 'clusters'] : ['cluster', 'list', '--no-headers'];
  const names = (await run(kind, list)).split('\n').map((line) => line.trim().split(/\s+/)[0]);
  if (!names.includes(options.name)) return undefined;
  const configFile = join(root, 'deploy/kind/cluster.yaml');
  return openCluster({ kind, name: options.name, folder, configFile, run });
}

function readOptions(args: string[]) {
  const { values } = parseArgs({
    args,
    options: {
      with: { type: 'string' },
      name: { type: 'string', default: 'roost-try' },
      from: { type: 'string' },
      keep: { type: 'boolean', default: false },
      delete: { type: 'boolean', default: false },
      'dry-run': { type: 'boolean', default: false },
    },
  });
  if (values.with !== undefined && values.with !== 'kind' && values.with !== 'k3d') {
    throw new Error('--with is kind or k3d');
  }
  if (!/^[a-z][-a-z0-9]{0,30}$/.test(values.name))
    throw new Error('--name is of lower case letters, digits and dashes');
  return { ...values, with: values.with as ClusterKind | undefined, dryRun: values['dry-run'] };
}
