import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, statfsSync } from 'node:fs';
import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findProgram } from '#tools/launcher';

/** Kernel: _IOR('X', 125, __u32), and of its flags the one that flushes neither the journal nor anything else. */
const FS_IOC_SHUTDOWN = 0x80_04_58_7d;
const GOING_FLAGS_NOLOGFLUSH = 2;
/** Node has no ioctl; perl is in every Debian. */
const SHUT_DOWN = `open(my $f, '<', $ARGV[0]) or die $!; my $flags = pack('L', ${GOING_FLAGS_NOLOGFLUSH}); ioctl($f, ${FS_IOC_SHUTDOWN}, $flags) or die $!`;
/** A process that was killed may hold a file for a moment. */
const UNMOUNT_MS = 15_000;
/** Left to root by mkfs otherwise: a full disk shall be full for everybody. */
const RESERVED_PERCENT = '0';

/**
 * A file system of the run's own: ext4 in a file, on a loop device. Its power can be cut: the kernel then drops every page
 * and journal entry that is not synced, as a machine does that loses its power, and refuses all that follows (what
 * xfstests calls shutdown). Not covered: a disk that lies about what it has synced, and torn sectors.
 */
export class Disk {
  readonly path: string;
  private readonly image: string;
  /** The loop device that is mounted. */
  private device: string | undefined;

  private constructor(folder: string) {
    this.path = join(folder, 'disk');
    this.image = join(folder, 'disk.ext4');
  }

  /** Why none can be made here. */
  static missing(): string | undefined {
    if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'mounting a file system takes root on Linux';
    const absent = ['mkfs.ext4', 'losetup', 'mount', 'perl', 'unshare'].filter((program) => !findProgram(program));
    if (absent.length > 0) return `${absent.join(', ')} not found`;
    const { status, stderr } = spawnSync('losetup', ['--find'], { encoding: 'utf8' });
    return status === 0 ? undefined : `no loop device (${stderr.trim()})`;
  }

  static async make(folder: string, megabytes: number): Promise<Disk> {
    const disk = new Disk(folder);
    await writeFile(disk.image, '');
    await truncate(disk.image, megabytes * 1_048_576);
    run('mkfs.ext4', '-q', '-F', '-m', RESERVED_PERCENT, disk.image);
    mkdirSync(disk.path, { mode: 0o711 });
    disk.mount();
    return disk;
  }

  /** From here on nothing reaches it, and what was not synced is lost. */
  cutPower(): void {
    run('perl', '-e', SHUT_DOWN, this.path);
  }

  /** As at the next start of the machine: the journal is replayed. Whoever used it must have ended. */
  async restorePower(): Promise<void> {
    // Sandboxes began in mount namespaces that hold the old one, with its loop device: the file gets another. What the old
    // file system gave to its device before the cut is written before the new one reads; it gives nothing after it.
    if (this.device) run('sync', this.device);
    await this.unmount();
    this.mount();
    // Its removal may not have been synced either, and nobody would make room again.
    this.empty();
  }

  /** Takes all that is left of it. */
  fill(): void {
    const { bavail, bsize } = statfsSync(this.path);
    // Some blocks go to the file's own tree: what fallocate cannot have, dd takes to the last.
    spawnSync('fallocate', ['--length', String(Math.max(bsize, (bavail - 64) * bsize)), this.ballast]);
    spawnSync('dd', ['if=/dev/zero', `of=${this.ballast}.rest`, 'bs=4096', 'status=none']);
  }

  empty(): void {
    rmSync(this.ballast, { force: true });
    rmSync(`${this.ballast}.rest`, { force: true });
  }

  async remove(): Promise<void> {
    if (this.device) await this.unmount();
    rmSync(this.image, { force: true });
  }

  private get ballast(): string {
    return join(this.path, 'ballast');
  }

  private mount(): void {
    // `mount -o loop` would take the device that the file has already, and with it the file system that was shut down.
    const device = execFileSync('losetup', ['--find', '--show', this.image], { encoding: 'utf8' }).trim();
    run('mount', device, this.path);
    // Once nobody uses it.
    run('losetup', '--detach', device);
    this.device = device;
  }

  private async unmount(): Promise<void> {
    for (const deadline = Date.now() + UNMOUNT_MS; ; await sleep(50)) {
      const { status, stderr } = spawnSync('umount', [this.path], { encoding: 'utf8' });
      if (status === 0) break;
      if (Date.now() > deadline) throw new Error(`the disk is still used: ${stderr.trim()}`);
    }
    this.device = undefined;
  }
}

function run(program: string, ...args: string[]): void {
  execFileSync(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
