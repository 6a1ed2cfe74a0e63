import { execFile } from 'node:child_process';
import {
  closeSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
} from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const minBytes = 8 * 2 ** 20;
const releaseTimeoutMs = 10_000;
/** Sizes are cut to whole groups of blocks: this much less is no reason to grow. */
const slackBytes = 2 ** 20;
/** Blocks that are freed inside go back to the host; tables that were never written take no space. */
const mountOptions = 'loop,nosuid,nodev,noatime,discard,noinit_itable';

/**
 * Volumes as file systems of their own: a sparse ext4 image per agent, mounted only while its sandbox runs and only
 * where that sandbox sees it. The kernel then limits the volume to its size and its number of files, whoever writes.
 * Needs root and loop devices.
 */
export class VolumeImages {
  private readonly folder: string;
  private trial: Promise<string | undefined> | undefined;

  constructor(private readonly dataDir: string) {
    this.folder = join(dataDir, 'volume-images');
  }

  /** Undefined when images can be used here, else why not. */
  whyNot(): Promise<string | undefined> {
    this.trial ??= this.tryOnce();
    return this.trial;
  }

  pathOf(name: string): string {
    return join(this.folder, `${name}.ext4`);
  }

  has(name: string): boolean {
    return existsSync(this.pathOf(name));
  }

  /** Makes the image when there is none, and grows one that is smaller than `bytes`; it never shrinks. */
  async prepare(name: string, bytes: number, owner: number): Promise<string> {
    const image = this.pathOf(name);
    if (!existsSync(image)) {
      await makeImage(image, Math.max(bytes, minBytes), owner);
      return image;
    }
    await untilReleased(image);
    if (fileSystemBytes(image) < bytes) await grow(image, bytes);
    return image;
  }

  async remove(name: string): Promise<void> {
    await rm(this.pathOf(name), { force: true });
  }

  private async tryOnce(): Promise<string | undefined> {
    if (process.getuid?.() !== 0) return 'Roost is not root';
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    const image = join(this.folder, `.trial-${process.pid}`);
    try {
      await makeImage(image, minBytes, 0);
      const mount = ['mount', '-t', 'ext4', '-o', mountOptions, image, this.folder];
      await run('unshare', ['--mount', '--propagation=private', '--', ...mount]);
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.message.replace(/\s+/g, ' ').trim() : String(error);
    } finally {
      await rm(image, { force: true });
    }
  }
}

/**
 * For the launch of a sandbox: mounts the image `$1` at `$2`. A device that an ended sandbox is just giving up may be
 * in the way once. Empty volumes show no folder of the file system's own.
 */
export const mountImageScript = `mount_image() {
  mount -t ext4 -o ${mountOptions} "$1" "$2" 2> /dev/null || { sleep 0.2; mount -t ext4 -o ${mountOptions} "$1" "$2"; }
  [ ! -d "$2/lost+found" ] || rmdir "$2/lost+found" 2> /dev/null || :
}`;

/** A draft first: an image that is there is whole. */
async function makeImage(image: string, bytes: number, owner: number): Promise<void> {
  const draft = `${image}.draft`;
  await rm(draft, { force: true });
  const fd = openSync(draft, 'wx', 0o600);
  try {
    ftruncateSync(fd, bytes);
  } finally {
    closeSync(fd);
  }
  const extended = `root_owner=${owner}:${owner},lazy_itable_init=1,lazy_journal_init=1,nodiscard`;
  await run('mkfs.ext4', ['-q', '-F', '-m', '0', '-E', extended, draft]);
  await rename(draft, image);
}

async function grow(image: string, bytes: number): Promise<void> {
  // resize2fs wants a checked file system; e2fsck exits with 1 when it repaired something.
  await run('e2fsck', ['-f', '-p', image]).catch((error: unknown) => {
    if (!(error instanceof Error && 'code' in error && error.code === 1)) throw error;
  });
  await run('resize2fs', [image, `${Math.floor(bytes / 1024)}K`]);
}

/**
 * A mount ends a moment after the last process of its sandbox, and until then the kernel still writes the image: checking,
 * resizing or mounting it anew meanwhile could spoil it. The loop device is gone only when everything is written.
 */
async function untilReleased(image: string): Promise<void> {
  const deadline = Date.now() + releaseTimeoutMs;
  while (isOnLoopDevice(image)) {
    if (Date.now() > deadline) throw new Error(`${image} is still mounted`);
    await setTimeout(20);
  }
}

function isOnLoopDevice(image: string): boolean {
  return readdirSync('/sys/block').some((device) => {
    if (!device.startsWith('loop')) return false;
    try {
      return basename(readFileSync(`/sys/block/${device}/loop/backing_file`, 'utf8').trim()) === basename(image);
    } catch {
      return false; // a device that holds no file
    }
  });
}

/** The size by the file system's own super block; the file may be larger when growing it was cut off. Source: ext4 super block. */
function fileSystemBytes(image: string): number {
  const block = Buffer.alloc(1_024);
  const fd = openSync(image, 'r');
  try {
    readSync(fd, block, 0, block.length, 1_024);
  } finally {
    closeSync(fd);
  }
  const blocks = block.readUInt32LE(0x150) * 2 ** 32 + block.readUInt32LE(4);
  return blocks * 1_024 * 2 ** block.readUInt32LE(24) + slackBytes;
}
