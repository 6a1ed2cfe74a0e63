import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { RoostError } from '#lib/contracts/errors';
import { findProgram } from './system-package.js';

/** How to start PostgreSQL's programs as a user it accepts. */
export interface PostgresUser {
  /** Owner the cluster's folder must have; absent when it is the current user. */
  ids?: { uid: number; gid: number };
  /** The command and options that start `program` with `args` as that user. */
  command(program: string, args: string[]): { file: string; args: string[]; ids: { uid?: number; gid?: number } };
}

/**
 * PostgreSQL refuses to run as root, so root starts it as the system user `postgres`, made when missing.
 * That user often cannot walk into root's folders (a clone under /root, a `mktemp -d`); PostgreSQL is then given the
 * one capability that lets it, instead of loosening the mode of folders that are not ours.
 * Errors: SERVICE_UNAVAILABLE when neither works.
 */
export function postgresUser(program: string, folder: string): PostgresUser {
  if (process.getuid?.() !== 0) return { command: (file, args) => ({ file, args, ids: {} }) };
  const ids = postgresIds();
  if (canReach(ids, program, folder)) return { ids, command: (file, args) => ({ file, args, ids }) };
  const setpriv = findProgram('setpriv');
  if (!setpriv) {
    throw new RoostError(
      'SERVICE_UNAVAILABLE',
      `PostgreSQL runs as the user "postgres", which cannot enter ${dirname(folder)}. Choose a folder it can enter with --data, or run Roost as a normal user.`,
    );
  }
  const drop = [`--reuid=${ids.uid}`, `--regid=${ids.gid}`, '--clear-groups'];
  // With the last, access(2), by which initdb looks for its own files, goes by that capability too, not by the user alone.
  const keep = ['--inh-caps=-all,+dac_override', '--ambient-caps=+dac_override', '--securebits=+no_setuid_fixup'];
  return { ids, command: (file, args) => ({ file: setpriv, args: [...drop, ...keep, '--', file, ...args], ids: {} }) };
}

/** Makes the cluster's folder the user's with all that is in it, unless it is: PostgreSQL starts on no folder of another. */
export function giveTo({ ids }: PostgresUser, clusterDir: string): void {
  if (!ids || statSync(clusterDir).uid === ids.uid) return;
  spawnSync('chown', ['-hR', `${ids.uid}:${ids.gid}`, clusterDir]);
}

/** Of the system user `postgres`, made when missing: root's PostgreSQL runs as it. */
export function postgresIds(): { uid: number; gid: number } {
  return (known ??= idsOf('postgres') ?? createUser());
}

let known: { uid: number; gid: number } | undefined;

function canReach(ids: { uid: number; gid: number }, program: string, folder: string): boolean {
  const test = spawnSync('/bin/sh', ['-c', 'test -x "$0" && test -x "$1"', program, folder], { ...ids, cwd: '/' });
  return test.status === 0;
}

function createUser(): { uid: number; gid: number } {
  const attempts: [string, string[]][] = [
    ['useradd', ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', 'postgres']],
    ['adduser', ['-S', '-D', '-H', 'postgres']],
  ];
  for (const [program, args] of attempts) {
    if (spawnSync(findProgram(program) ?? program, args, { stdio: 'ignore' }).status !== 0) continue;
    const ids = idsOf('postgres');
    if (ids) return ids;
  }
  throw new RoostError(
    'SERVICE_UNAVAILABLE',
    'PostgreSQL cannot run as root and the user "postgres" could not be made. Make it, or run Roost as a normal user.',
  );
}

function idsOf(user: string): { uid: number; gid: number } | undefined {
  const [uid, gid] = ['-u', '-g'].map((flag) => spawnSync('id', [flag, user], { encoding: 'utf8' }));
  if (uid?.status !== 0 || gid?.status !== 0) return undefined;
  return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
}
