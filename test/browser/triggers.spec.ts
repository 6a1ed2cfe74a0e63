import { until } from '#lib/testing';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Dashboard } from './open-dashboard.js';

const run = promisify(execFile);

describe('the triggers of an agent', () => {
  let dashboard: Dashboard;
  let agentId: string;
  let secret: string;

  beforeAll(async () => {
    dashboard = await Dashboard.open();
    agentId = await dashboard.agent('hooked');
  });
  afterAll(async () => dashboard?.close());

  const page = () => dashboard.page;
  const history = () => page().getByRole('list', { name: 'History' }).getByRole('listitem');
  const shownSecret = async () => {
    const shown = (await page().getByRole('dialog').getByLabel('Secret', { exact: true }).textContent()) ?? '';
    await page().getByRole('button', { name: 'I have kept it' }).click();
    return shown.trim();
  };
  /** As somebody would who copies the command into a shell. */
  const inShell = async (command: string) => {
    const { stdout } = await run('bash', ['-c', `set -eo pipefail\n${command} -sS`], {
      env: { ...process.env, SECRET: secret },
    });
    return JSON.parse(stdout) as { message_id?: string; error?: { code: string } };
  };
  const example = async () => (await page().getByLabel('Command', { exact: true }).textContent()) ?? '';

  it('say how one is made, which shows its secret once', async () => {
    await dashboard.go(`/agents/${agentId}/triggers`);
    await page().getByText('roost triggers create "hooked"').waitFor();
    await page().getByRole('link', { name: 'New trigger' }).click();
    await page().getByLabel('Name').fill('new issue');
    await page().getByLabel('Message').fill('run: echo {{payload.issue.title}}');
    await page().getByRole('button', { name: 'Make the trigger' }).click();
    await page().getByText('it is not shown again').waitFor();
    secret = await shownSecret();
    expect(secret).toMatch(/^whs_/);
    await page().getByText('Nothing was posted yet').waitFor();
  });

  it('are called as the example shows, in each of its ways, and by nobody without the secret', async () => {
    for (const way of ['Secret', 'GitHub', 'Standard Webhooks']) {
      await page().getByRole('button', { name: way, exact: true }).click();
      expect(await inShell(await example()), way).toMatchObject({ message_id: expect.stringMatching(/^msg_/) });
    }
    const command = await example();
    const kept = secret;
    secret = `whs_${Buffer.from('another').toString('base64')}`;
    expect(await inShell(command)).toMatchObject({ error: { code: 'UNAUTHORIZED' } });
    secret = kept;
    await until('each is listed', async () => (await history().count()) === 3);
  });

  it('are tested without the secret, with a body that the message asks for', async () => {
    await page().getByRole('button', { name: 'Send a test' }).click();
    const body = page().getByRole('dialog').getByLabel('Body');
    expect(JSON.parse(await body.inputValue())).toEqual({ issue: { title: 'title' } });
    await body.fill('{"issue": {"title": "from the dashboard"');
    await page()
      .getByText(/^No JSON yet/)
      .waitFor();
    await expect
      .poll(() => page().getByRole('dialog').getByRole('button', { name: 'Send it' }).isDisabled())
      .toBe(true);
    await body.fill('{"issue": {"title": 12345678901234567890}}');
    await page().getByRole('button', { name: 'Send it' }).click();
    await until('it is listed', async () => (await history().count()) === 4);
    await history().first().filter({ hasText: 'Completed' }).waitFor();
    await history().first().getByRole('link', { name: /^Run/ }).click();
    await page()
      .getByRole('button', { name: /^bash.*12345678901234567890/ })
      .waitFor();
    await page().goBack();
  });

  it('are disabled, given a new secret, changed and deleted', async () => {
    await page().getByRole('button', { name: 'Disable' }).click();
    await page().getByText('Disabled: requests are answered by 409').waitFor();
    await until('it refuses', async () => (await inShell(await example())).error?.code === 'CONFLICT');
    await page().getByRole('button', { name: 'Actions for new issue' }).click();
    await page().getByRole('menuitem', { name: 'New secret …' }).click();
    await page().getByRole('button', { name: 'Make a new secret' }).click();
    const next = await shownSecret();
    expect(next).toMatch(/^whs_/);
    expect(next).not.toBe(secret);
    await page().getByRole('button', { name: 'Actions for new issue' }).click();
    await page().getByRole('menuitem', { name: 'Edit' }).click();
    await page().getByLabel('Name').fill('issues');
    await page().getByRole('button', { name: 'Save' }).click();
    await page().getByRole('heading', { name: 'issues' }).waitFor();
    await page().getByLabel('Outcome').selectOption('Failed');
    await page().getByText('None is failed.').waitFor();
    await expect.poll(() => dashboard.place).toMatch(/\?status=failed$/);
    await page().getByRole('button', { name: 'Actions for issues' }).click();
    await page().getByRole('menuitem', { name: 'Delete …' }).click();
    await page().getByRole('button', { name: 'Delete it' }).click();
    await page().getByText('Let other systems wake it').waitFor();
    expect(dashboard.complaints).toEqual([]);
  });
});
