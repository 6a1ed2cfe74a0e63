import { chownSync, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { VolumeImages } from './volume-images.js';

// Far from the ranges that distributions give to users and to their sub-ids.
const firstHostUid = 1_700_000_000;

/** A volume that is ready to be shown to a sandbox. */
export interface OpenVolume {
  /** A folder, or the image of a file system. */
  source: string;
  /** The kernel limits its size; else the daemon must. */
  isBounded: boolean;
  /** The user it belongs to; undefined when Roost is not root, then it is Roost's own. */
  hostUid: number | undefined;
}

/**
 * The agents' volumes: `<dataDir>/volumes/<agentId>`, each owned by a host user of its own when Roost is root. The
 * content is in that folder, or, where the host allows it, in an image beside (`volume-images.ts`); a folder that
 * holds files already stays one.
 */
export class Volumes {
  private readonly folder: string;
  private readonly images: VolumeImages;
  private nextUid = firstHostUid;

  constructor(dataDir: string) {
    this.folder = join(dataDir, 'volumes');
    this.images = new VolumeImages(dataDir);
    mkdirSync(this.folder, { recursive: true, mode: 0o711 });
    for (const name of readdirSync(this.folder)) {
      this.nextUid = Math.max(this.nextUid, statSync(join(this.folder, name)).uid + 1);
    }
  }

  /** Undefined when new volumes are images, else why they are folders, whose size is measured and not enforced by the kernel. */
  whyUnbounded(): Promise<string | undefined> {
    return this.images.whyNot();
  }

  /** The volume, made when it is not there. */
  async open(agentId: string, bytes: number): Promise<OpenVolume> {
    const name = nameOf(agentId);
    const path = join(this.folder, name);
    if (!existsSync(path)) mkdirSync(path, { mode: 0o700 });
    if (process.getuid?.() !== 0) return { source: path, isBounded: false, hostUid: undefined };
    const hostUid = this.ownerOf(path);
    const isImage = this.images.has(name) || (readdirSync(path).length === 0 && !(await this.images.whyNot()));
    if (!isImage) return { source: path, isBounded: false, hostUid };
    return { source: await this.images.prepare(name, bytes, hostUid), isBounded: true, hostUid };
  }

  list(): string[] {
    return readdirSync(this.folder).filter((name) => !name.startsWith('.'));
  }

  /** Deletes a volume. It is renamed at once, even if Roost is killed while its files are deleted. */
  async remove(agentId: string): Promise<void> {
    const name = nameOf(agentId);
    await this.images.remove(name);
    const removed = join(this.folder, `.deleted-${name}`);
    const path = join(this.folder, name);
    if (existsSync(path)) {
      await rm(removed, { recursive: true, force: true });
      await rename(path, removed);
    }
    await rm(removed, { recursive: true, force: true, maxRetries: 3 });
  }

  /** The folder's owner is the only record of which user belongs to the agent: it cannot disagree with the files. */
  private ownerOf(path: string): number {
    const owner = statSync(path).uid;
    if (owner >= firstHostUid) return owner;
    const hostUid = this.nextUid++;
    chownSync(path, hostUid, hostUid);
    return hostUid;
  }
}

/** An id becomes a folder's name: it may not be a path. */
function nameOf(agentId: string): string {
  if (!/^[\w-]{1,64}$/.test(agentId)) throw new TypeError(`not an agent id: ${JSON.stringify(agentId)}`);
  return agentId;
}
