import type { getVolumeUsage } from '#lib/contracts';
import type { z } from 'zod';
import { visit } from './tree/visit.js';
import type { Volume } from './tree/volume.js';

const timeLimitMs = 1_000;
const sliceMs = 10;

/** Counts files and the space they take; a sparse file counts with what is on disk. */
export async function volumeUsage(volume: Volume): Promise<z.output<typeof getVolumeUsage.output>> {
  const startedAt = performance.now();
  let sliceAt = startedAt;
  const usage = { files: 0, bytes: 0, lastModified: null as Date | null, isComplete: true };
  for (const { stats } of visit(volume.root, true)) {
    if (stats.isFile()) {
      usage.files += 1;
      usage.bytes += Math.min(stats.size, stats.blocks * 512);
      if (!usage.lastModified || stats.mtime > usage.lastModified) usage.lastModified = stats.mtime;
    }
    if (performance.now() - sliceAt < sliceMs) continue;
    if (performance.now() - startedAt > timeLimitMs) return { ...usage, isComplete: false };
    await new Promise((resolve) => setImmediate(resolve));
    sliceAt = performance.now();
  }
  return usage;
}
