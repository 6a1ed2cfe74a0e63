import { execFile } from 'node:child_process';
import { chmod, rename, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { cachedDataVersionTag } from 'node:v8';

const run = promisify(execFile);

/** Node's arguments for the daemon. A snapshot is taken only by a Node that runs with the flags it was made with. */
export const daemonFlags = ['--max-old-space-size=192', '--max-semi-space-size=2'];

/**
 * Makes a snapshot of the loaded daemon beside its script, once for this Node, its flags and this processor, and gives
 * the snapshot's path. It holds nothing of the host, not even the folder's name: it is made without environment, and the
 * script under a name that is the same everywhere.
 * Errors: why this Node cannot; the daemon then has to be started from its script.
 */
export async function makeSnapshot(node: string, script: string): Promise<string> {
  const folder = join(script, '..');
  const snapshot = join(folder, `workspace-daemon-${cachedDataVersionTag().toString(16)}.blob`);
  if (existsSync(snapshot)) return snapshot;
  const draft = `${basename(snapshot)}.${process.pid}`;
  try {
    const make = ['--no-warnings', '--snapshot-blob', draft, '--build-snapshot', `/proc/self/cwd/${basename(script)}`];
    await run(node, [...daemonFlags, ...make], { cwd: folder, env: {} });
    await chmod(join(folder, draft), 0o444);
    await rename(join(folder, draft), snapshot);
  } finally {
    await rm(join(folder, draft), { force: true });
  }
  return snapshot;
}
