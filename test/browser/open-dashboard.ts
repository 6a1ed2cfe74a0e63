import { NETWORK_DELAY_MS, networkDelay, startRoost, type TestRoost } from '#lib/testing';
import type { Environment } from '#lib/config';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { launchChromium, PATIENCE_MS } from './chromium.js';

/** A Roost of its own with a browser that is signed in. Agents answer by the demo model: `run: ls` runs a command. */
export class Dashboard {
  /** What the page complained about: errors of its scripts, and what its policy refused. */
  readonly complaints: string[] = [];

  private constructor(
    readonly roost: TestRoost,
    private readonly browser: Browser,
    readonly context: BrowserContext,
    readonly page: Page,
  ) {}

  static async open(env: Environment = {}): Promise<Dashboard> {
    const roost = await startRoost({ env });
    const browser = await launchChromium();
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, acceptDownloads: true });
    context.setDefaultTimeout(PATIENCE_MS);
    if (NETWORK_DELAY_MS > 0)
      await context.route(/\/(v1|auth)\//, async (route) => {
        await networkDelay();
        // It may have been given up meanwhile.
        await route.fallback().catch(() => undefined);
      });
    const page = await context.newPage();
    const dashboard = new Dashboard(roost, browser, context, page);
    page.on('pageerror', (error) => dashboard.complaints.push(error.message));
    page.on('console', (message) => {
      // Refusals by the policy of the page are reported there alone.
      if (/Content Security Policy|Refused to/.test(message.text())) dashboard.complaints.push(message.text());
    });
    const { body } = await roost.api<{ path: string }>('POST', '/auth/sign_in_links', {});
    await page.goto(roost.url + body.path);
    await page.getByRole('heading', { name: 'Agents', level: 1 }).waitFor();
    return dashboard;
  }

  async agent(name: string, fields: object = {}): Promise<string> {
    const { body } = await this.roost.api<{ id: string }>('POST', '/v1/agent/create', { name, ...fields });
    return body.id;
  }

  /** Sends a message and waits for its answer. */
  async say(agentId: string, content: string): Promise<string> {
    const { body } = await this.roost.api<{ id: string }>('POST', `/v1/agent/${agentId}/messages`, { content });
    await this.roost.api('GET', `/v1/agent/${agentId}/messages/${body.id}?wait=60`);
    return body.id;
  }

  async go(path: string): Promise<void> {
    await this.page.goto(this.roost.url + path);
  }

  /** Holds back what the page asks for at `address`, until the function that it gives is called. */
  async hold(address: string | RegExp): Promise<() => void> {
    let release: () => void = () => undefined;
    const isReleased = new Promise<void>((resolve) => (release = resolve));
    await this.page.route(address, async (route) => {
      await isReleased;
      await route.continue();
    });
    return release;
  }

  /** Path and search of where the page is. */
  get place(): string {
    const { pathname, search } = new URL(this.page.url());
    return pathname + search;
  }

  async close(): Promise<void> {
    await this.browser.close();
    await this.roost.stop();
  }
}
