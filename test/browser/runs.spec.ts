import { until } from '#lib/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Dashboard } from './open-dashboard.js';

describe('the runs of an agent', () => {
  let dashboard: Dashboard;
  let agentId: string;

  beforeAll(async () => {
    dashboard = await Dashboard.open();
    agentId = await dashboard.agent('runner');
  });
  afterAll(async () => dashboard?.close());

  const rows = () => dashboard.page.getByRole('list', { name: 'Runs' }).getByRole('listitem');
  const steps = () => dashboard.page.getByRole('list', { name: 'What happened' });
  const detail = () => dashboard.page.getByRole('region', { name: 'Detail' });

  it('say how they come about while there is none, and appear by themselves', async () => {
    await dashboard.go(`/agents/${agentId}/runs`);
    await dashboard.page.getByText('It has not done anything yet').waitFor();
    await dashboard.say(agentId, 'run: echo $((6 * 7)); exit 3');
    await rows().filter({ hasText: 'run: echo' }).filter({ hasText: 'Completed' }).waitFor();
  });

  it('are opened by j and Enter, and show each step with what it was asked and gave', async () => {
    const { page } = dashboard;
    await dashboard.say(agentId, 'second');
    await rows().filter({ hasText: 'second' }).filter({ hasText: 'Completed' }).waitFor();
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await detail().getByText('run: echo $((6 * 7)); exit 3').waitFor();
    await steps().getByRole('button', { name: /^bash/ }).click();
    await detail().getByText('Exit code', { exact: true }).waitFor();
    await detail().getByRole('region', { name: 'Result' }).getByText('42').waitFor();
    await expect.poll(() => dashboard.place).toMatch(/\/runs\/[0-9a-f-]+\?step=1\.\d$/);
    await page.reload();
    await detail().getByRole('region', { name: 'Arguments' }).getByText('exit 3').waitFor();
  });

  it('lead to their messages in the chat, and these back to them', async () => {
    const { page } = dashboard;
    await steps()
      .getByRole('button', { name: /^The run/ })
      .click();
    const toChat = detail().getByRole('link', { name: 'Show it in the chat' }).first();
    await toChat.waitFor();
    const run = dashboard.place;
    await toChat.click();
    const message = page.getByRole('log').getByRole('article').filter({ hasText: 'run: echo' }).first();
    await message.waitFor();
    await message.getByRole('link', { name: 'Run' }).click();
    await until('the run is shown', () => dashboard.place === run);
  });

  it('are followed while they go on, and cancelled', async () => {
    const { page } = dashboard;
    await dashboard.go(`/agents/${agentId}/runs?status=running`);
    await page.getByText('No run is like that.').waitFor();
    await dashboard.roost.api('POST', `/v1/agent/${agentId}/messages`, { content: 'run: sleep 300' });
    await rows().filter({ hasText: 'run: sleep 300' }).getByRole('link').click();
    await steps()
      .getByRole('button', { name: /^bash.*so far/ })
      .waitFor();
    await page.getByRole('button', { name: 'Cancel the run' }).click();
    await page.getByRole('heading', { name: /Cancelled/ }).waitFor();
  });

  it('are listed also when they began before the page could listen', async () => {
    const { page } = dashboard;
    const listen = await dashboard.hold(`**/v1/agent/${agentId}/events*`);
    await dashboard.go(`/agents/${agentId}/runs?status=running`);
    await page.getByText('No run is like that.').waitFor();
    await dashboard.roost.api('POST', `/v1/agent/${agentId}/messages`, { content: 'run: sleep 301' });
    const running = `/v1/agent/${agentId}/runs?status=running`;
    const { id } = await until('the run began', async () => {
      const { body } = await dashboard.roost.api<{ runs: { id: string }[] }>('GET', running);
      return body.runs[0];
    });
    listen();
    await rows().filter({ hasText: 'run: sleep 301' }).waitFor();
    await dashboard.roost.api('POST', `/v1/agent/${agentId}/runs/${id}/cancel`);
  });

  it('show what is hostile in them as text', async () => {
    const { page } = dashboard;
    await dashboard.say(agentId, 'run: printf "<img src=x onerror=hacked=1>\\u202egpj.exe"');
    await dashboard.go(`/agents/${agentId}/runs?source=api`);
    await rows().first().getByRole('link').click();
    await steps().getByRole('button', { name: /^bash/ }).click();
    await detail()
      .getByRole('region', { name: 'Result' })
      .getByText('<img src=x onerror=hacked=1>[U+202E]gpj.exe')
      .waitFor();
    expect(await page.evaluate("'hacked' in window")).toBe(false);
    expect(dashboard.complaints).toEqual([]);
  });
});
