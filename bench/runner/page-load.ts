import type { Page } from 'playwright-core';

interface PageLoad {
  /** Until something is painted, and until nothing keeps a click waiting any more. */
  paintMs: number;
  interactiveMs: number;
  /** Of the page's main thread, as if it were not slowed. */
  cpuMs: number;
  /** What came over the network, as it was encoded. */
  bytes: number;
}

/**
 * Loads a page on a processor that is `slower` times slower. Interactive is when its list is there and the last task of
 * more than 50 ms is over (as in "time to interactive" of Lighthouse, without its wait for a quiet network).
 */
export async function measureLoad(page: Page, url: string, slower: number): Promise<PageLoad> {
  const session = await page.context().newCDPSession(page);
  await session.send('Emulation.setCPUThrottlingRate', { rate: slower });
  await session.send('Network.enable');
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  let bytes = 0;
  session.on('Network.loadingFinished', ({ encodedDataLength }) => (bytes += encodedDataLength));
  await page.addInitScript(WATCH);
  await page.goto(url);
  await page.getByRole('heading', { name: 'Agents', level: 1 }).waitFor();
  await page.getByRole('link', { name: 'first' }).first().waitFor();
  const shownMs = await page.evaluate(() => performance.now());
  await page.waitForTimeout(500);
  const { paintMs, lastLongMs } = await page.evaluate<{ paintMs: number; lastLongMs: number }>(READ);
  const { metrics } = await session.send('Performance.getMetrics');
  const cpuSeconds = metrics.find(({ name }) => name === 'TaskDuration')?.value ?? 0;
  return { paintMs, interactiveMs: Math.max(shownMs, lastLongMs), cpuMs: cpuSeconds * 1_000, bytes };
}

const WATCH = `
  window.lastLongMs = 0;
  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) window.lastLongMs = startTime + duration;
  }).observe({ type: 'longtask', buffered: true });`;

const READ = `({
  paintMs: performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0,
  lastLongMs: window.lastLongMs,
})`;
