import type { Page } from 'playwright-core';

interface PageScroll {
  framesPerSecond: number;
  longestTaskMs: number;
  /** Of the page's main thread: what is left of a frame on a machine that draws elsewhere or does nothing else. */
  cpuMsPerFrame: number;
}

/** Scrolls up and down through an element, by a notch of a wheel (120 px) each frame. */
export async function measureScroll(page: Page, selector: string, seconds: number): Promise<PageScroll> {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  const cpuSeconds = async () =>
    (await session.send('Performance.getMetrics')).metrics.find(({ name }) => name === 'TaskDuration')?.value ?? 0;
  const before = await cpuSeconds();
  const { frames, ms, longestTaskMs } = await page.evaluate<{ frames: number; ms: number; longestTaskMs: number }>(
    `(${SCROLL})(${JSON.stringify(selector)}, ${seconds * 1_000})`,
  );
  const cpuMs = ((await cpuSeconds()) - before) * 1_000;
  await session.detach();
  return { framesPerSecond: (frames / ms) * 1_000, longestTaskMs, cpuMsPerFrame: cpuMs / frames };
}

const SCROLL = `(selector, durationMs) => new Promise((resolve) => {
  let longestTaskMs = 0;
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) longestTaskMs = Math.max(longestTaskMs, duration);
  });
  observer.observe({ entryTypes: ['longtask'] });
  const element = document.querySelector(selector);
  const began = performance.now();
  let frames = 0;
  let by = element.scrollTop > 0 ? -1 : 1;
  const step = () => {
    frames += 1;
    const { scrollTop, clientHeight, scrollHeight } = element;
    if (scrollTop <= 0) by = 1;
    if (scrollTop + clientHeight >= scrollHeight - 1) by = -1;
    element.scrollTop += by * 120;
    const ms = performance.now() - began;
    if (ms < durationMs) return requestAnimationFrame(step);
    observer.disconnect();
    resolve({ frames, ms, longestTaskMs });
  };
  requestAnimationFrame(step);
})`;
