/** Rows that one statement of a retention job removes: it holds its locks for some tenths of a second. */
export const SWEEP_BATCH = 5_000;

/**
 * Has `removeSome`, which removes at most SWEEP_BATCH rows and gives them or their number, run until nothing is left to
 * remove or the signal comes. A job that removed one batch each time would fall behind for good as soon as more is written
 * between two runs.
 */
export async function inBatches(
  removeSome: () => Promise<number | { length: number }>,
  signal?: AbortSignal,
): Promise<void> {
  while (!signal?.aborted) {
    const removed = await removeSome();
    if ((typeof removed === 'number' ? removed : removed.length) < SWEEP_BATCH) return;
  }
}
