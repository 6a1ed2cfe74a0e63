import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Reads the metrics of each process once, as Prometheus does; gives how long each took, in ms. */
export async function scrapeMetrics(dataDir: string): Promise<Map<string, number>> {
  const log = readFileSync(join(dataDir, 'logs', 'roost.log'), 'utf8');
  const urls = new Set([...log.matchAll(/http:\/\/[\d.:]+\/metrics/g)].map(([url]) => url));
  const times = new Map<string, number>();
  for (const url of urls) {
    const began = performance.now();
    const answer = await fetch(url).catch(() => undefined);
    // Those of earlier starts are gone.
    if (!answer) continue;
    await answer.text();
    times.set(url, performance.now() - began);
  }
  return times;
}
