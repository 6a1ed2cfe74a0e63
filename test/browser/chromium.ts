import { findOrInstall } from '#tools/launcher';
import { type Browser, chromium } from 'playwright-core';

/** As long as `until` waits: a full machine takes longer than the thirty seconds that are Playwright's own choice. */
export const PATIENCE_MS = 60_000;

/** The system's Chromium, which is installed where this user may do that. Errors: one with what to type. */
export async function launchChromium(): Promise<Browser> {
  const found = await findOrInstall({ program: 'chromium', packageName: 'chromium' }, (line) => console.log(line));
  if (found.path === undefined) throw new Error(`The tests of the dashboard need Chromium. ${found.reason}`);
  // Its own sandbox needs rights that a container may not give; what it is shown comes from this test.
  return chromium.launch({ executablePath: found.path, args: ['--no-sandbox'] });
}
