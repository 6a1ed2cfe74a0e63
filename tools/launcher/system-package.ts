import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

export interface SystemProgram {
  /** The executable, e.g. `bwrap`. */
  program: string;
  /** The package that brings it, e.g. `bubblewrap`. */
  packageName: string;
}

export type Found = { path: string } | { path: undefined; reason: string };

interface PackageManager {
  program: string;
  refresh?: string[];
  install(packageName: string): string[];
}

const packageManagers: PackageManager[] = [
  {
    program: 'apt-get',
    refresh: ['update'],
    // Another apt may be at work on this machine: wait for it.
    install: (name) => ['-o', 'DPkg::Lock::Timeout=120', 'install', '-y', '--no-install-recommends', name],
  },
  { program: 'apk', install: (name) => ['add', '--no-cache', name] },
  { program: 'dnf', install: (name) => ['install', '-y', name] },
  { program: 'brew', install: (name) => ['install', name] },
];

/**
 * Finds a program, and installs its package with the system's package manager where this user may do so without a
 * password. `reason` says what the user can do when it is not to be had; nothing is thrown for that.
 */
export async function findOrInstall(
  { program, packageName }: SystemProgram,
  progress: (line: string) => void,
): Promise<Found> {
  const present = findProgram(program);
  if (present) return { path: present };

  const manager = packageManagers.find((candidate) => findProgram(candidate.program));
  if (!manager) {
    return {
      path: undefined,
      reason: `${program} is not installed and no known package manager is here to install it.`,
    };
  }
  const prefix = rightsPrefix(manager);
  const needsSudo = manager.program !== 'brew' && process.getuid?.() !== 0;
  const verb = manager.program === 'apk' ? 'add' : 'install';
  const asTyped = `${needsSudo ? 'sudo ' : ''}${manager.program} ${verb} ${packageName}`;
  if (!prefix) return { path: undefined, reason: `${program} is not installed. Install it with: ${asTyped}` };

  const turn = installing.then(() => install({ program, packageName, manager, prefix, asTyped, progress }));
  installing = turn.catch(() => undefined);
  return turn;
}

/** Package managers lock the system: two installations at once would make one of them fail. */
let installing: Promise<unknown> = Promise.resolve();

interface Installation extends SystemProgram {
  manager: PackageManager;
  prefix: string[];
  asTyped: string;
  progress(line: string): void;
}

async function install({ program, packageName, manager, prefix, asTyped, progress }: Installation): Promise<Found> {
  const command = [...prefix, manager.program, ...manager.install(packageName)];
  progress(`Installing ${packageName} (${asTyped}) …`);
  let outcome = await run(command);
  if (outcome.code !== 0 && manager.refresh) {
    progress('Refreshing the package list …');
    await run([...prefix, manager.program, ...manager.refresh]);
    outcome = await run(command);
  }
  const installed = findProgram(program);
  if (installed) return { path: installed };
  const lastWords = outcome.output.trim().split('\n').slice(-3).join(' | ');
  return { path: undefined, reason: `${program} could not be installed (${lastWords}). Install it with: ${asTyped}` };
}

/** The full path of a program on PATH, or in the folders where system packages put servers. */
export function findProgram(program: string): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter);
  folders.push('/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/local/bin', '/opt/homebrew/bin');
  for (const folder of folders.filter(Boolean)) {
    const path = join(folder, program);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      continue; // not in this folder
    }
  }
  return undefined;
}

/** What to put before the command to have the rights; `undefined` when it would need a password. */
function rightsPrefix(manager: PackageManager): string[] | undefined {
  if (manager.program === 'brew' || process.getuid?.() === 0) return [];
  const sudo = findProgram('sudo');
  return sudo && spawnSync(sudo, ['-n', 'true'], { stdio: 'ignore' }).status === 0 ? [sudo, '-n'] : undefined;
}

function run([program = '', ...args]: string[]): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
    let output = '';
    const keep = (chunk: Buffer) => (output = (output + chunk.toString('utf8')).slice(-4_000));
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.once('error', (error) => resolve({ code: null, output: error.message }));
    child.once('close', (code) => resolve({ code, output }));
  });
}
