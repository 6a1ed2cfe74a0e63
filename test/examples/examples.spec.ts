import { LLMock } from '@copilotkit/aimock';
import { freePort, SlackPlatform, startRoost, type TestRoost, until } from '#lib/testing';
import { createHmac } from 'node:crypto';
import { cpSync, existsSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { installPackages } from '../../packages/sdk/test/install-packages.js';
import { launchChromium } from '../browser/chromium.js';
import { GitHubDouble } from './github-double.js';
import { Program } from './program.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const LONG_ANSWER = Array.from({ length: 60 }, (_, n) => `word${n}`).join(' ');

describe('the examples, in a fresh folder with the packages as they are published', () => {
  const model = new LLMock({ port: 0, logLevel: 'silent' });
  const programs: Program[] = [];
  let slack: SlackPlatform;
  let roost: TestRoost;
  let folder: string;

  beforeAll(async () => {
    await model.start();
    slack = await SlackPlatform.start();
    [roost, folder] = await Promise.all([
      startRoost({
        env: {
          OPENAI_BASE_URL: `${model.url}/v1`,
          OPENAI_API_KEY: 'sk-test',
          ROOST_DEFAULT_MODEL: 'openai/gpt-test',
          SLACK_API_BASE_URL: slack.url,
          ROOST_WEBHOOK_NETWORK: 'local',
        },
      }),
      installPackages('sdk', 'cli'),
    ]);
    cpSync(join(root, 'examples'), join(folder, 'examples'), { recursive: true });
    symlinkSync(join(root, 'node_modules/express'), join(folder, 'node_modules/express'));
  });
  afterEach(() => Promise.all(programs.splice(0).map((program) => program.stop())));
  afterAll(async () => {
    await roost?.stop();
    await slack?.stop();
    await model.stop();
  });

  const run = (cwd: string, args: string[], env: Record<string, string> = {}) => {
    const reached = { ROOST_URL: roost.url, ROOST_API_KEY: roost.apiKey };
    const program = Program.start(args, { cwd, env: { ...reached, ...env } });
    programs.push(program);
    return program;
  };
  const start = (name: string, env: Record<string, string> = {}, ...args: string[]) =>
    run(join(folder, 'examples', name), ['main.ts', ...args], env);
  /** The command line, to its end. */
  const cli = async (...args: string[]) => {
    const { code, output } = await run(folder, [join(folder, 'node_modules/.bin/roost'), ...args]).ended;
    expect(code, output).toBe(0);
    return output;
  };

  it('name what they need as their users install it', () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    const manifests = readdirSync(join(root, 'examples'), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && existsSync(join(root, 'examples', entry.name, 'package.json')))
      .map(({ name }) => JSON.parse(readFileSync(join(root, 'examples', name, 'package.json'), 'utf8')) as object);
    expect(manifests).toHaveLength(5);
    for (const manifest of manifests)
      expect(manifest).toMatchObject({ dependencies: { '@roost-ai/sdk': `^${version}` } });
  });

  it('make a team from a file, change nothing the second time, and say what differs', async () => {
    const file = join(folder, 'examples/agents-as-files/team.yaml');
    const made = await cli('apply', '-f', file);
    expect(made).toMatch(/agent issue sorter  made[^]*schedule notes keeper\/weekly summary  made/);
    expect(await cli('apply', '-f', file)).toContain('Nothing differs.');
    expect(await cli('diff', '-f', file)).toContain('Nothing differs.');
    await cli('agents', 'update', 'notes keeper', '--prompt', 'Keep nothing.');
    const differs = await run(folder, [join(folder, 'node_modules/.bin/roost'), 'diff', '-f', file]).ended;
    expect(differs).toMatchObject({
      code: 1,
      output: expect.stringContaining('system_prompt: "Keep nothing."') as string,
    });
  });

  it('triage the issues of GitHub, each once, also over a restart', async () => {
    const github = await GitHubDouble.start('github_pat_1');
    const env = { GITHUB_API_URL: github.url, GITHUB_TOKEN: 'github_pat_1', GITHUB_REPOSITORY: 'me/project' };
    const first = start('github-triager', env);
    const { url = '', secret = '' } = await until(
      'it says what GitHub needs',
      () => /Payload URL +(?<url>\S+)[^]*Secret +(?<secret>\S+)\n[^]*alone/.exec(first.output)?.groups,
    );
    const deliver = async (action: string, number: number, title: string) => {
      const body = JSON.stringify({ action, issue: { number, title, body: 'Every time.' } });
      const response = await fetch(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'x-github-event': 'issues',
          'x-github-delivery': `delivery-${action}-${number}`,
          'x-hub-signature-256': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
        },
        body,
      });
      expect(response.status).toBe(202);
    };
    model.onMessage('opened issue 7', { content: 'ISSUE 7\nA bug. Which version is it?' });
    model.onMessage('opened issue 8', { content: 'ISSUE 8\nA question.\n\nISSUE 7\nNot asked for.' });
    model.onMessage('closed issue', { content: 'nothing to do' });
    await deliver('opened', 7, 'It crashes');
    await until('its comment is there', () => github.comments.length === 1);
    // Killed before that, it would comment once more.
    await until('that is noted', () => existsSync(join(folder, 'examples/github-triager/last-event-id')));
    await deliver('closed', 7, 'It crashes');
    await first.stop();
    await deliver('opened', 8, 'How do I…');
    const second = start('github-triager', env);
    await until('the next comment is there', () => github.comments.length > 1);
    expect(github.comments).toEqual([
      { path: '/repos/me/project/issues/7/comments', body: 'A bug. Which version is it?' },
      { path: '/repos/me/project/issues/8/comments', body: 'A question.' },
    ]);
    expect(second.output).not.toContain('Secret');
    await github.stop();
  });

  it('report on the orders of the day', async () => {
    const sum = "awk -F, '/^2026-11-03/ { s += $3 } END { print s }' orders.csv";
    model.on({ userMessage: 'orders.csv holds', hasToolResult: true }, { content: '# Orders\n\n447.50 in all.' });
    model.onMessage('orders.csv holds', {
      toolCalls: [{ name: 'bash', arguments: JSON.stringify({ command: sum }) }],
    });
    const { code, output } = await start('daily-report', { REPORT_ZONE: 'Europe/Berlin' }, '--now').ended;
    expect(code, output).toBe(0);
    expect(output).toMatch(/^reports\/\S+\.md\n\n# Orders\n\n447\.50 in all\.\n\nThe next report is written at 20/);
    expect(JSON.stringify(model.getLastRequest()?.body)).toContain('447.5');
    const reports = join(folder, 'examples/daily-report/reports');
    const [report = ''] = readdirSync(reports);
    expect(readFileSync(join(reports, report), 'utf8')).toContain('447.50');
    const again = await start('daily-report', { REPORT_ZONE: 'America/New_York', REPORT_CRON: '30 8 * * *' }).ended;
    expect(again.output).toMatch(/^The next report is written at \S+T1[23]:30/);
    expect(await cli('schedules', 'list', 'daily report')).toMatch(/30 8 \* \* \* +America\/New_York[^\n]*orders\n$/);
  });

  it('help people in Slack', async () => {
    const app = slack.addApp();
    const env = {
      SLACK_BOT_TOKEN: app.botToken,
      SLACK_APP_TOKEN: app.appToken,
      SLACK_SIGNING_SECRET: app.signingSecret,
    };
    const wrong = await start('slack-helper', { ...env, SLACK_BOT_TOKEN: 'xoxb-1-2-revoked' }).ended;
    expect(wrong.output).toMatch(/Error: Slack: .*token/);
    const first = await start('slack-helper', env).ended;
    const [, code = ''] = /\/link (\S+)/.exec(first.output) ?? [];
    expect(code, first.output).not.toBe('');
    const say = (text: string) => slack.sockets.send(app.appToken, 'events_api', slack.message('U7', text));
    const shown = (text: string) =>
      until(`Slack shows "${text}"`, () =>
        slack.shownIn(slack.directChannel('U7')).some((message) => message.text.includes(text)),
      );
    say(`!link ${code}`);
    await shown('You are talking to');
    model.on({ userMessage: 'laptop', hasToolResult: true }, { content: 'Ask Margaret of IT.' });
    model.onMessage('laptop', {
      toolCalls: [{ name: 'read_file', arguments: JSON.stringify({ path: 'handbook.md' }) }],
    });
    say('who gives me a laptop?');
    await shown('Ask Margaret of IT.');
    expect(JSON.stringify(model.getLastRequest()?.body)).toContain('a new one every four years');
    const again = await start('slack-helper', env).ended;
    expect(again).toMatchObject({ code: 0, output: 'The app is connected.\n' });
  });

  it('receive webhooks in Express: only signed ones, each once', async () => {
    const PORT = String(await freePort());
    const url = `http://127.0.0.1:${PORT}/roost`;
    const made = await cli('webhooks', 'create', url, '--events', 'message.completed');
    const [, secret = ''] = /secret +(whsec_\S+)/.exec(made) ?? [];
    const consumer = start('webhook-consumer', { PORT, ROOST_WEBHOOK_SECRET: secret });
    await until('it listens', () => consumer.output.includes('Waiting'));
    model.onMessage('good day', { content: 'A good day to you.' });
    await cli('agents', 'create', 'greeter');
    await cli('send', 'greeter', 'good day');
    const line = 'done: good day → A good day to you.';
    await until('it was received', () => consumer.output.includes(line));
    const [delivery] = JSON.parse(await cli('webhooks', 'deliveries', '--json')) as { id: string }[];
    await cli('webhooks', 'retry', delivery?.id ?? '');
    await until('it was sent again', async () =>
      JSON.parse(await cli('webhooks', 'deliveries', '--json')).some(
        (one: { attempt_count: number; status: string }) => one.attempt_count === 2 && one.status !== 'pending',
      ),
    );
    expect(consumer.output.split(line)).toHaveLength(2);
    const unsigned = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' };
    expect((await fetch(url, unsigned)).status).toBe(401);
  });

  describe('in a browser', () => {
    let browser: Browser;
    beforeAll(async () => {
      browser = await launchChromium();
    });
    afterAll(() => browser?.close());

    it('chat on a page as the answer is written, each visitor for themselves, without a key', async () => {
      model.onMessage('count', { content: LONG_ANSWER }, { latency: 150, chunkSize: 12 });
      const PORT = String(await freePort());
      const url = `http://127.0.0.1:${PORT}/`;
      const server = start('browser-chat', { PORT });
      await until('it listens', () => server.output.includes(PORT));
      const page = await browser.newPage();
      const problems: string[] = [];
      page.on('pageerror', (error) => problems.push(error.message));
      page.on('console', (message) => {
        const isIcon = message.location().url.endsWith('/favicon.ico');
        if (message.type() === 'error' && !isIcon) problems.push(message.text());
      });
      const bodies: Promise<string>[] = [];
      page.on('response', (response) => {
        if (!response.url().includes('/events')) bodies.push(response.text().catch(() => ''));
      });
      await page.goto(url);
      await page.getByLabel('Message').fill('count');
      await page.getByRole('button', { name: 'Send' }).click();
      const log = page.getByRole('log');
      await log.getByText(/word3 /).waitFor();
      expect(await log.innerText()).not.toContain('word59');
      await log.getByText(/word0 .*word59/).waitFor();
      await page.reload();
      await log.getByText(/word0 .*word59/).waitFor();
      expect((await Promise.all(bodies)).join().includes(roost.apiKey)).toBe(false);
      expect(problems).toEqual([]);

      const stranger = await (await browser.newContext()).newPage();
      const listed = stranger.waitForResponse(/messages/);
      await stranger.goto(url);
      expect(await (await listed).json()).toMatchObject({ messages: [] });
      const statusOf = (path: string) => page.evaluate(`fetch(${JSON.stringify(path)}).then((r) => r.status)`);
      expect(await statusOf('/roost/v1/agent/me/messages')).toBe(200);
      for (const path of ['/roost/v1/agent/list', '/roost/v1/agent/me/../list', '/roost/v1/agent/me', '/package.json'])
        expect(await statusOf(path), path).toBe(404);
    });
  });
});
