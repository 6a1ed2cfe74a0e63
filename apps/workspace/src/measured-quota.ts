import { execFile } from 'node:child_process';
import { readdirSync, readlinkSync, statSync } from 'node:fs';
import { promisify } from 'node:util';
import { type Capacity, volumeFull } from './tree/capacity.js';

const run = promisify(execFile);
const minIntervalMs = 1_000;
/** Measuring takes at most this part of the time, however many files there are. */
const share = 0.1;
/** As ext4 gives them: a volume of empty files is full too. */
const bytesPerFile = 16_384;
const minFiles = 10_000;

export interface MeasuredQuotaOptions {
  root: string;
  limitBytes: number;
  /** Commands run that may write. */
  isBusy(): boolean;
  /** The commands have filled the volume: what runs must end. */
  onOverrun(): void;
}

/**
 * Limits a volume to its size where no file system does: writes of the API are counted before they begin, the commands'
 * are measured about once a second while any runs. Files that are deleted but still open count. Not promised: that the
 * volume never exceeds its size between two measurements, or by what a process hides that made itself unreadable.
 */
export class MeasuredQuota implements Capacity {
  /** Unknown before the first measurement. */
  private used = Infinity;
  private unmeasured = 0;
  private full = false;
  private underWay: Promise<void> | undefined;
  private lastMs = 0;

  constructor(private readonly options: MeasuredQuotaOptions) {
    void this.watch();
  }

  get isFull(): boolean {
    return this.full;
  }

  async take(bytes: number): Promise<void> {
    if (!this.fits(bytes)) await this.measure();
    if (!this.fits(bytes)) throw volumeFull();
    this.unmeasured += bytes;
  }

  /** Measures now; concurrent calls share one measurement. */
  measure(): Promise<void> {
    this.underWay ??= this.addUp().finally(() => (this.underWay = undefined));
    return this.underWay;
  }

  private fits(bytes: number): boolean {
    return this.used + this.unmeasured + bytes <= this.options.limitBytes;
  }

  private async addUp(): Promise<void> {
    const { root, limitBytes, onOverrun } = this.options;
    const startedAt = performance.now();
    const before = this.unmeasured;
    const [kilobytes, files] = await Promise.all([diskUsage(root, '-k'), diskUsage(root, '--inodes')]);
    this.used = kilobytes * 1_024 + deletedButOpen(root);
    this.unmeasured -= before;
    this.lastMs = performance.now() - startedAt;
    const wasFull = this.full;
    this.full = this.used > limitBytes || files > Math.max(minFiles, limitBytes / bytesPerFile);
    if (this.full && !wasFull) onOverrun();
  }

  private async watch(): Promise<void> {
    for (;;) {
      const waitMs = Math.max(minIntervalMs, this.lastMs / share);
      await new Promise((resolve) => setTimeout(resolve, waitMs).unref());
      if (this.options.isBusy() || this.full) await this.measure().catch(() => undefined); // measured again soon
    }
  }
}

/** `du` walks trees of any depth and follows no link. */
async function diskUsage(root: string, unit: '-k' | '--inodes'): Promise<number> {
  const total = ({ stdout }: { stdout: string }) => Number(/^\d+/.exec(stdout)?.[0] ?? 0);
  try {
    return total(await run('du', ['-s', '-x', unit, root]));
  } catch (error) {
    // Directories without read permission would hide what is in them; what vanished meanwhile is no matter.
    await run('find', [root, '-xdev', '-type', 'd', '!', '-perm', '-u=rx', '-exec', 'chmod', 'u+rx', '{}', ';']).catch(
      () => undefined,
    );
    return total(await run('du', ['-s', '-x', unit, root]).catch(() => partOf(error)));
  }
}

/** What a failed `du` counted nevertheless. */
function partOf(error: unknown): { stdout: string } {
  return { stdout: error instanceof Error && 'stdout' in error ? String(error.stdout) : '' };
}

function deletedButOpen(root: string): number {
  const seen = new Map<number, number>();
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    for (const fd of tryList(`/proc/${pid}/fd`)) {
      const at = `/proc/${pid}/fd/${fd}`;
      try {
        const name = readlinkSync(at);
        if (!name.startsWith(`${root}/`) || !name.endsWith(' (deleted)')) continue;
        const stats = statSync(at);
        if (stats.nlink === 0) seen.set(stats.ino, stats.blocks * 512);
      } catch {
        continue; // closed meanwhile
      }
    }
  }
  return [...seen.values()].reduce((sum, bytes) => sum + bytes, 0);
}

function tryList(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return []; // it ended, or hides its handles
  }
}
