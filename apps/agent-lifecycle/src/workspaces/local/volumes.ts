import { chownSync, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

// Far from the ranges that distributions give to users and to their sub-ids.
const firstHostUid = 1_700_000_000;

/** The agents' volumes: `<dataDir>/volumes/<agentId>`, each owned by a host user of its own when Roost is root. */
export class Volumes {
  private readonly folder: string;
  private nextUid = firstHostUid;

  constructor(dataDir: string) {
    this.folder = join(dataDir, 'volumes');
    mkdirSync(this.folder, { recursive: true, mode: 0o711 });
    for (const name of readdirSync(this.folder)) {
      this.nextUid = Math.max(this.nextUid, statSync(join(this.folder, name)).uid + 1);
    }
  }

  /** The volume's folder, made when it is not there, and the host user that owns it. */
  open(agentId: string): { path: string; hostUid: number | undefined } {
    const path = join(this.folder, nameOf(agentId));
    const isRoot = process.getuid?.() === 0;
    if (!existsSync(path)) mkdirSync(path, { mode: 0o700 });
    if (!isRoot) return { path, hostUid: undefined };
    const owner = statSync(path).uid;
    if (owner >= firstHostUid) return { path, hostUid: owner };
    // The owner is the only record of which user belongs to the agent: it cannot disagree with the files.
    const hostUid = this.nextUid++;
    chownSync(path, hostUid, hostUid);
    return { path, hostUid };
  }

  list(): string[] {
    return readdirSync(this.folder).filter((name) => !name.startsWith('.'));
  }

  /** Deletes a volume. It is out of sight at once, even if Roost is killed while its files are deleted. */
  async remove(agentId: string): Promise<void> {
    const doomed = join(this.folder, `.deleted-${nameOf(agentId)}`);
    const path = join(this.folder, nameOf(agentId));
    if (existsSync(path)) {
      await rm(doomed, { recursive: true, force: true });
      await rename(path, doomed);
    }
    await rm(doomed, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** An id becomes a folder's name: it may not be a path. */
function nameOf(agentId: string): string {
  if (!/^[\w-]{1,64}$/.test(agentId)) throw new TypeError(`not an agent id: ${JSON.stringify(agentId)}`);
  return agentId;
}
