import { startRoost, type TestRoost } from '#lib/testing';
import { LLMock } from '@copilotkit/aimock';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Browser, BrowserContext, Page, Request } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KillableGateway } from '../../packages/sdk/test/killable-gateway.js';
import { launchChromium, PATIENCE_MS } from './chromium.js';
import { hostileMarkdown, OUTSIDE_HOST } from './hostile.js';
import { makeScreenData } from './screen-data.js';
import { screensOf } from './screens.js';

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** A folder for pictures of all screens; without it none are taken. */
const PICTURES = process.env['ROOST_TEST_ARTEFACTS'];
/** Four looks at each of some thirty screens. */
const AXE_MS = 600_000;
const MAX_FIRST_LOAD_BYTES = 200_000;
const LONG_ANSWER = Array.from({ length: 120 }, (_, n) => `word${n}`).join(' ');

describe('the dashboard', () => {
  const model = new LLMock({ port: 0, logLevel: 'silent' });
  let roost: TestRoost;
  let gateway: KillableGateway;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let agentId: string;
  const requests: Request[] = [];
  const complaints: string[] = [];

  beforeAll(async () => {
    await model.start();
    roost = await startRoost({ env: { ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'sk-ant-test' } });
    [gateway, browser] = await Promise.all([KillableGateway.start(roost), launchChromium()]);
    context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
    context.setDefaultTimeout(PATIENCE_MS);
    page = await context.newPage();
    page.on('request', (request) => requests.push(request));
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      // Refusals by the policy of the page are reported there alone.
      if (/Content Security Policy|Refused to/.test(message.text())) complaints.push(message.text());
    });
  });
  afterAll(async () => {
    await browser?.close();
    await gateway?.end();
    await roost?.stop();
    await model.stop();
  });

  const composer = () => page.getByRole('textbox', { name: /^Message to/ });
  const say = async (text: string) => {
    await composer().fill(text);
    await composer().press('Enter');
  };
  const log = () => page.getByRole('log', { name: 'Conversation' });

  it('asks who is there, and comes back to where one was going', async () => {
    await page.goto(`${gateway.url}/agents/new?template=coder`);
    await page.getByRole('heading', { name: 'Sign in to Roost' }).waitFor();
    await page.getByLabel('API key').fill('roost_sk_wrong');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page
      .getByRole('alert')
      .getByText(/request/)
      .waitFor();
    await page.getByLabel('API key').fill(roost.apiKey);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByLabel('Name', { exact: true }).waitFor();
    await expect.poll(() => new URL(page.url()).search).toBe('?template=coder');
    await expect.poll(() => page.getByLabel('Name', { exact: true }).inputValue()).toBe('coder');
    const colourOf = (template: RegExp) =>
      page
        .getByRole('link', { name: template })
        .evaluate((link) => link.ownerDocument.defaultView?.getComputedStyle(link).backgroundColor);
    expect(await colourOf(/^Coder/)).not.toBe(await colourOf(/^Watcher/));
    await page.getByRole('button', { name: /^Account/ }).click();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in to Roost' }).waitFor();
  });

  it('signs in by the link of the start, keeps nothing that a script could read, and answers at once', async () => {
    model.onMessage('hello there', { content: 'Hello from the agent.' });
    const { body } = await roost.api<{ path: string }>('POST', '/auth/sign_in_links', {});
    const begun = performance.now();
    await page.goto(gateway.url + body.path);
    await page.getByRole('link', { name: /Assistant/ }).click();
    await page.getByLabel('Name', { exact: true }).fill('tester');
    await page.getByRole('button', { name: 'Make the agent' }).click();
    await say('hello there');
    await log().getByText('Hello from the agent.').waitFor();
    const seconds = (performance.now() - begun) / 1_000;
    console.log(`dashboard: from the link to the first answer ${seconds.toFixed(1)} s`);
    expect(seconds).toBeLessThan(60);
    agentId = /agents\/([0-9a-f-]+)/.exec(page.url())?.[1] ?? '';
    const kept = await page.evaluate('JSON.stringify([localStorage, sessionStorage, document.cookie])');
    expect(kept).toBe('[{},{},""]');
    const [cookie] = await context.cookies();
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict' });
    // The link is used up, and stands in no history.
    const other = await browser.newContext();
    const stranger = await other.newPage();
    await stranger.goto(gateway.url + body.path);
    await stranger.getByText(/used already/).waitFor();
    expect(stranger.url()).toBe(`${gateway.url}/sign-in`);
    await other.close();
  });

  it('shows what the agent does while it does it, and goes on over a kill of the gateway without a gap', async () => {
    model.on({ userMessage: 'count', hasToolResult: true }, { content: LONG_ANSWER }, { latency: 40, chunkSize: 12 });
    model.onMessage('count', { toolCalls: [{ name: 'bash', arguments: JSON.stringify({ command: 'echo seen' }) }] });
    await say('count');
    await log().getByText('echo seen').first().waitFor();
    await log()
      .getByText(/word3 /)
      .waitFor();
    await gateway.kill();
    await log()
      .getByText(/word119/)
      .waitFor({ timeout: 60_000 });
    const texts = await log()
      .getByText(/word0 .*word119/s)
      .allInnerTexts();
    expect(texts.map((text) => text.trim())).toEqual([LONG_ANSWER]);
    // The page was not loaded anew.
    expect(requests.filter((request) => request.isNavigationRequest() && request.url().includes(agentId))).toHaveLength(
      0,
    );
  });

  it('executes nothing of what an agent writes, and asks nobody outside', async () => {
    model.onMessage('attack', { content: hostileMarkdown });
    requests.length = 0;
    await say('attack');
    await log().getByText('the end of the attack').waitFor();
    // Whatever would be loaded has been asked for by then.
    await page.evaluate('new Promise((done) => requestAnimationFrame(() => setTimeout(done, 300)))');
    expect(requests.map((request) => new URL(request.url()).host).filter((host) => host === OUTSIDE_HOST)).toEqual([]);
    expect(await page.evaluate("'hacked' in window")).toBe(false);
    const found = await log().evaluate((element) =>
      [
        'script',
        'style',
        'iframe',
        'img',
        'object',
        'embed',
        'form',
        'link',
        'base',
        'meta',
        'video',
        '[onclick]',
        '[onerror]',
      ].filter((selector) => element.querySelector(`.prose ${selector}`) !== null),
    );
    expect(found).toEqual([]);
    const links = await Promise.all(
      (await log().locator('.prose a').all()).map(async (link) => [
        new URL((await link.getAttribute('href')) ?? '', gateway.url).protocol,
        await link.getAttribute('rel'),
      ]),
    );
    expect(links.length).toBeGreaterThan(0);
    for (const [protocol, rel] of links) expect([protocol, rel]).toEqual(['https:', 'noopener noreferrer nofollow']);
  });

  it('shows in each of two tabs what was said in the other, while it is answered', async () => {
    const other = await context.newPage();
    await other.goto(page.url());
    const otherLog = other.getByRole('log', { name: 'Conversation' });
    await otherLog.getByText('Hello from the agent.').waitFor();
    model.onMessage('said here', { content: 'Heard in both.' });
    model.onMessage('said there', { content: 'Heard here, too.' });
    await say('said here');
    await otherLog.getByText('said here').waitFor();
    await otherLog.getByText('Heard in both.').waitFor();
    await other.getByRole('textbox', { name: /^Message to/ }).fill('said there');
    await other.keyboard.press('Enter');
    await log().getByText('Heard here, too.').waitFor();
    await otherLog.getByText('Heard here, too.').waitFor();
    await other.close();
  });

  it('follows an agent’s state, changes it, and says why nothing is answered', async () => {
    await roost.api('POST', `/v1/agent/${agentId}/pause`);
    await page.getByText('The agent is paused: messages wait.').waitFor();
    await say('anybody there?');
    await log().getByText('waits: the agent is paused').waitFor();
    model.onMessage('anybody there?', { content: 'I am back.' });
    await page.getByRole('button', { name: 'Resume' }).click();
    await log().getByText('I am back.').waitFor();
  });

  it(
    'has no barrier that axe finds, on any screen, in either theme and at any width',
    async () => {
      const found: string[] = [];
      const data = await makeScreenData(roost, agentId);
      for (const { name, path, ready } of screensOf(agentId, data)) {
        await page.goto(gateway.url + path);
        await ready(page);
        for (const [colorScheme, width] of [
          ['light', 1440],
          ['dark', 380],
          ['dark', 1440],
          ['light', 380],
          ['light', 3840],
        ] as const) {
          await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
          await page.setViewportSize({ width, height: width === 3840 ? 2160 : 900 });
          // Colours depend on the theme, and what stands where on the width: each once, and all with ROOST_FULL.
          const isOne = colorScheme === 'light' ? width === 1440 : width === 380;
          if (PICTURES && (isOne || process.env['ROOST_FULL']))
            await page.screenshot({ path: join(PICTURES, `${name}-${width}-${colorScheme}.png`) });
          if (isOne || (process.env['ROOST_FULL'] && width < 3840))
            found.push(...(await barriersIn(page, `${name} ${colorScheme} ${width}`)));
          const overflow = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
          if (overflow > 0) found.push(`${name} at ${width}: ${overflow} px wider than the screen`);
        }
        await page.setViewportSize({ width: 1440, height: 900 });
      }
      expect(found).toEqual([]);
    },
    AXE_MS,
  );

  it('finds and does things by keyboard', async () => {
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: /Search/ }).fill('tester chat');
    await page.keyboard.press('Enter');
    await composer().waitFor();
    await expect.poll(() => new URL(page.url()).pathname).toBe(`/agents/${agentId}/chat`);
    await page.keyboard.press('Control+k');
    await page.keyboard.press('Escape');
    await expect.poll(() => page.getByRole('combobox', { name: /Search/ }).count()).toBe(0);
    await page.goto(`${gateway.url}/agents?q=tester`);
    await page.getByRole('link', { name: 'tester' }).first().waitFor();
    await page.locator('body').press('j');
    await page.keyboard.press('Enter');
    await composer().waitFor();
  });

  it('stops what the agent does, without a word to it', async () => {
    await page.goto(`${gateway.url}/agents/${agentId}/chat`);
    model.onMessage('hibernate', {
      toolCalls: [{ name: 'bash', arguments: JSON.stringify({ command: 'sleep 300' }) }],
    });
    await say('hibernate');
    await log().getByText('sleep 300').first().waitFor();
    await page.getByRole('button', { name: 'Stop what it does now' }).click();
    await log().getByText('Interrupted: what it had begun is above.').waitFor();
    const { body } = await roost.api<{ runs: { status: string }[] }>('GET', `/v1/agent/${agentId}/runs`);
    expect(body.runs[0]?.status).toBe('cancelled');
  });

  it('asks before it deletes', async () => {
    // Others were made for the screens: the page for who has none is to come.
    const { body } = await roost.api<{ agents: { id: string }[] }>('GET', '/v1/agent/list');
    for (const { id } of body.agents) if (id !== agentId) await roost.api('POST', `/v1/agent/delete/${id}`);
    await page.goto(`${gateway.url}/agents`);
    await page.getByRole('button', { name: 'Actions for tester' }).click();
    await page.getByRole('menuitem', { name: /Delete/ }).click();
    await page.getByRole('button', { name: 'Delete permanently' }).click();
    await page.getByText('Make your first agent').waitFor();
    expect((await roost.api('GET', `/v1/agent/${agentId}`)).status).toBe(404);
  });

  it('has broken no rule of its own policy meanwhile', () => {
    expect(complaints).toEqual([]);
    const outside = requests
      .filter((request) => !request.url().startsWith(gateway.url))
      .map((request) => request.url());
    expect(outside).toEqual([]);
  });

  it('loads less than 200 kB at first', () => {
    const folder = 'dist/dashboard';
    const html = readFileSync(`${folder}/index.html`, 'utf8');
    const named = [...html.matchAll(/(?:src|href)="\/(assets\/[^"]+)"/g)].map(([, name = '']) => name);
    // And the screen that most people begin with.
    const screen = readdirSync(`${folder}/assets`).filter((name) => /^agents-page-.*\.js$|^icons-.*\.svg$/.test(name));
    const files = ['index.html', ...named, ...screen.map((name) => `assets/${name}`)];
    const bytes = files.reduce((sum, name) => sum + gzipSync(readFileSync(join(folder, name)), { level: 9 }).length, 0);
    console.log(`dashboard: first load ${(bytes / 1_000).toFixed(0)} kB gzipped in ${files.length} files`);
    expect(files.length).toBeGreaterThan(4);
    expect(bytes).toBeLessThan(MAX_FIRST_LOAD_BYTES);
  });
});

async function barriersIn(page: Page, where: string): Promise<string[]> {
  // Given to the page by the driver, which its policy does not hold back.
  if (!(await page.evaluate<boolean>(`'axe' in window`))) await page.evaluate(axeSource);
  const found = await page.evaluate<Violation[]>(`axe
    .run({
      runOnly: { type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] },
      resultTypes: ['violations'],
      preload: false, // of style sheets: for rules that are not among these
    })
    .then(({ violations }) => violations)`);
  return found.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary = '' }) => `${where}: ${id} ${JSON.stringify(target)} ${failureSummary}`),
  );
}

interface Violation {
  id: string;
  nodes: { target: unknown[]; failureSummary?: string }[];
}
