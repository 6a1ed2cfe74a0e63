import type { Browser, BrowserContext, Page } from 'playwright-core';
import pg from 'pg';
import { launchChromium } from '../test/browser/chromium.js';
import { type BenchRoost, makeAgents, startBenchRoost } from './runner/bench-roost.js';
import type { Figure, Options } from './runner/bench.js';
import { fileListing, fillConversation } from './runner/dashboard-content.js';
import { measureLoad } from './runner/page-load.js';
import { measureScroll } from './runner/page-scroll.js';
import { quantile } from './runner/quantile.js';

export const name = 'dashboard';

const VIEW = { viewport: { width: 1440, height: 900 } };

/**
 * The dashboard in the system's Chromium, as somebody has it in front of them: from `npm start` to the first answer, until
 * it can be used on a processor that is four times slower, and scrolled with very much in it. Options: messages=10000,
 * files=100000, loads=5, seconds=5 of scrolling.
 */
export async function run(options: Options): Promise<Figure[]> {
  const roost = await startBenchRoost(options);
  let browser: Browser | undefined;
  try {
    browser = await launchChromium();
    const context = await browser.newContext(VIEW);
    const answeredMs = await firstAnswer(roost, await context.newPage());
    return [
      { what: 'start, until ready', value: roost.startMs / 1_000, unit: 's' },
      { what: 'the link → first answer in chat', value: answeredMs / 1_000, unit: 's' },
      { what: 'both', value: (roost.startMs + answeredMs) / 1_000, unit: 's', atMost: 10 },
      ...(await interactive(roost, browser, context, options.number('loads', 5))),
      ...(await scrolled(roost, context, options)),
    ];
  } finally {
    await browser?.close();
    await roost.stop();
  }
}

/** Signs in by the one-time link, makes an agent from a template and has it answer. Returns ms. */
async function firstAnswer(roost: BenchRoost, page: Page): Promise<number> {
  const { body } = await roost.api<{ path: string }>('POST', '/auth/sign_in_links', {});
  const began = performance.now();
  await page.goto(roost.url + body.path);
  await page.getByRole('link', { name: /Assistant/ }).click();
  await page.getByLabel('Name', { exact: true }).fill('first');
  await page.getByRole('button', { name: 'Make the agent' }).click();
  const composer = page.getByRole('textbox', { name: /^Message to/ });
  await composer.fill('What is a lease?');
  await composer.press('Enter');
  await page.getByRole('log').getByText('You said').first().waitFor();
  const ms = performance.now() - began;
  await page.close();
  return ms;
}

/** With an empty cache each time. */
async function interactive(
  roost: BenchRoost,
  browser: Browser,
  signedIn: BrowserContext,
  loads: number,
): Promise<Figure[]> {
  const cookies = await signedIn.cookies();
  const found: Awaited<ReturnType<typeof measureLoad>>[] = [];
  for (let n = 0; n < loads; n++) {
    const context = await browser.newContext(VIEW);
    await context.addCookies(cookies);
    found.push(await measureLoad(await context.newPage(), `${roost.url}/agents`, 4));
    await context.close();
  }
  const median = (of: (load: (typeof found)[number]) => number) => quantile(found.map(of), 0.5);
  return [
    { what: '4x slower: first paint', value: median((load) => load.paintMs), unit: 'ms' },
    { what: '4x slower: interactive', value: median((load) => load.interactiveMs), unit: 'ms', atMost: 1_500 },
    { what: '4x slower: processor time', value: median((load) => load.cpuMs), unit: 'ms' },
    { what: 'bytes of the first load', value: median((load) => load.bytes) / 1_000, unit: 'kB', atMost: 200 },
  ];
}

async function scrolled(roost: BenchRoost, context: BrowserContext, options: Options): Promise<Figure[]> {
  const [agentId = ''] = await makeAgents(roost, 1);
  const seconds = options.number('seconds', 5);
  const messages = options.number('messages', 10_000);
  const files = options.number('files', 100_000);
  const database = new pg.Client({ connectionString: roost.databaseUrl });
  await database.connect();
  await fillConversation(database, agentId, messages).finally(() => database.end());
  const page = await context.newPage();
  await page.goto(`${roost.url}/agents/${agentId}/chat`);
  const log = page.getByRole('log', { name: 'Conversation' });
  await log.getByText(`message ${messages} `).first().waitFor();
  await loadOlder(page, 'message 1 ');
  const ofMessages = await measureScroll(page, '[role=log]', seconds);
  await page.route(/filesystem\/directories/, (route) =>
    route.fulfill({ json: fileListing(route.request().url(), files) }),
  );
  await page.goto(`${roost.url}/agents/${agentId}/files`);
  const tree = page.getByRole('tree', { name: 'Files' });
  await tree.getByRole('treeitem').first().waitFor();
  await loadAllFiles(page, files);
  const ofFiles = await measureScroll(page, '[role=tree]', seconds);
  return [
    ...figuresOf(`${messages.toLocaleString('en')} messages`, ofMessages),
    ...figuresOf(`${files.toLocaleString('en')} files`, ofFiles),
  ];
}

function figuresOf(what: string, scroll: Awaited<ReturnType<typeof measureScroll>>): Figure[] {
  return [
    { what: `${what}: frames a second`, value: scroll.framesPerSecond, unit: '', atLeast: 55 },
    { what: `${what}: longest task`, value: scroll.longestTaskMs, unit: 'ms', atMost: 50 },
    { what: `${what}: processor time of a frame`, value: scroll.cpuMsPerFrame, unit: 'ms', atMost: 1_000 / 60 },
  ];
}

/** Goes to the top until the whole history is there. */
async function loadOlder(page: Page, first: string): Promise<void> {
  const log = page.getByRole('log', { name: 'Conversation' });
  await log.hover();
  while ((await log.getByText(first, { exact: false }).count()) === 0) {
    await log.evaluate((element) => element.scrollTo({ top: 0 }));
    await page.mouse.wheel(0, -100);
    await page.waitForTimeout(30);
  }
}

async function loadAllFiles(page: Page, files: number): Promise<void> {
  const tree = page.getByRole('tree', { name: 'Files' });
  await tree.focus();
  const last = tree.getByRole('treeitem', { name: `file-${String(files).padStart(6, '0')}` });
  while ((await last.count()) === 0) {
    await page.keyboard.press('End');
    await page.waitForTimeout(10);
  }
}
