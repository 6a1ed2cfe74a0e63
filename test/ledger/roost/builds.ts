import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A folder with `dist/`, `package.json` and `node_modules`, from which services are started. */
export interface Build {
  /** For the log and the document: a commit, or what was taken out. */
  name: string;
  root: string;
}

/** A line of this project's code that a build for a positive control does not have. */
export interface Patch {
  /** Below `dist/`. */
  file: string;
  line: string | RegExp;
  instead: string;
}

const root = fileURLToPath(import.meta.url.replace(/(\/dist)?\/test\/ledger\/roost\/.*$/, '/'));
const git = (...args: string[]) =>
  execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();

export const projectRoot = root;

/** This working tree, as it is built. */
export function thisBuild(): Build {
  return { name: commitOf('HEAD') ?? 'this build', root };
}

/** Its short name, with a mark when files differ from it; undefined outside a checkout, and for a commit that is not there. */
export function commitOf(revision: string): string | undefined {
  try {
    const name = git('rev-parse', '--short=10', '--verify', `${revision}^{commit}`);
    return revision === 'HEAD' && git('status', '--porcelain', '--', 'apps', 'libs', 'tools') !== ''
      ? `${name}+`
      : name;
  } catch {
    return undefined;
  }
}

/** The version before this one: the last tag that is not HEAD itself, else the commit before it that changed a service. */
export function previousRevision(): string | undefined {
  const asked = (...args: string[]) => {
    try {
      return git(...args) || undefined;
    } catch {
      return undefined;
    }
  };
  const changed = asked('log', '-2', '--format=%H', '--', 'apps', 'libs')?.split('\n') ?? [];
  return asked('describe', '--tags', '--abbrev=0', 'HEAD^') ?? changed[1];
}

/** Another commit's services, built beside this project's packages; kept for the next run. Errors: what the build says. */
export function buildOf(revision: string): Build {
  const commit = git('rev-parse', `${revision}^{commit}`);
  const folder = join(root, 'node_modules', '.cache', 'ledger', commit);
  if (!existsSync(folder)) {
    const draft = `${folder}.${process.pid}`;
    rmSync(draft, { recursive: true, force: true });
    mkdirSync(draft, { recursive: true });
    const archive = join(draft, 'source.tar');
    git('archive', '--output', archive, commit);
    execFileSync('tar', ['-xf', archive, '-C', draft]);
    rmSync(archive);
    symlinkSync(join(root, 'node_modules'), join(draft, 'node_modules'));
    execFileSync(process.execPath, ['tools/build.mjs', '--services'], {
      cwd: draft,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    renameSync(draft, folder);
  }
  return { name: commit.slice(0, 10), root: folder };
}

/** A file of a build, by default of this one, without a line that guards. Errors: it is not there, or there twice. */
export function patched({ file, line, instead }: Patch, dist = join(root, 'dist')): string {
  const [before, ...after] = readFileSync(join(dist, file), 'utf8').split(line);
  if (after.length !== 1)
    throw new Error(`${file} holds ${String(line)} ${after.length} times: the control is out of date`);
  return `${before}${instead}${after[0]}`;
}

/** This build without the lines that the patches name. */
export function patchedBuild(folder: string, name: string, patches: readonly Patch[]): Build {
  mkdirSync(folder);
  const dist = join(folder, 'dist');
  execFileSync('cp', ['--archive', join(root, 'dist'), folder]);
  cpSync(join(root, 'package.json'), join(folder, 'package.json'));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  for (const patch of patches) writeFileSync(join(dist, patch.file), patched(patch, dist));
  return { name, root: folder };
}
