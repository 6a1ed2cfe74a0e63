import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endProcess, processIdentity, processesWithArgument } from '#tools/launcher';

const prefix = 'roost-test-';
/** A folder younger than this without an owner's name is one whose owner has not written it yet. */
const namelessGraceMs = 60_000;

/** A temporary folder that names its owner, so that a later run can find out whether it is still in use. */
export function ownedFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), prefix));
  // PostgreSQL, started as its own user when we are root, has to walk through it.
  chmodSync(folder, 0o711);
  writeFileSync(join(folder, 'owner'), `${process.pid} ${processIdentity(process.pid) ?? ''}`);
  return folder;
}

/** Ends the servers and removes the folders of runs that were killed. Touches nothing of a run that still goes on. */
export async function clearLeftovers(): Promise<void> {
  for (const name of readdirSync(tmpdir())) {
    const folder = join(tmpdir(), name);
    if (name.startsWith(prefix) && !isOwned(folder)) await removeFolder(folder);
  }
}

/** Ends every server that runs on a data folder below `folder`, then removes it. */
export async function removeFolder(folder: string): Promise<void> {
  for (const dataDir of dataFoldersIn(folder)) {
    const servers = [
      ...processesWithArgument(['postgres'], join(dataDir, 'postgres')),
      ...processesWithArgument(['nats-server'], join(dataDir, 'nats', 'nats-server.conf')),
    ];
    for (const { pid } of servers) await endProcess(pid, ['SIGQUIT', 'SIGKILL'], 5_000);
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}

function isOwned(folder: string): boolean {
  try {
    const [pid, identity] = readFileSync(join(folder, 'owner'), 'utf8').split(' ');
    return processIdentity(Number(pid)) === identity;
  } catch {
    const changedAt = statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    return Date.now() - changedAt < namelessGraceMs;
  }
}

function dataFoldersIn(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(folder, entry.name));
  } catch {
    return []; // another run is removing it too
  }
}
