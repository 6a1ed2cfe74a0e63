import { until } from '#lib/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Dashboard } from './open-dashboard.js';

describe('the schedules of an agent', () => {
  let dashboard: Dashboard;
  let agentId: string;

  beforeAll(async () => {
    dashboard = await Dashboard.open();
    agentId = await dashboard.agent('clockwork');
  });
  afterAll(async () => dashboard?.close());

  const page = () => dashboard.page;
  const times = () => page().getByRole('list', { name: 'Next times' }).getByRole('listitem');
  const rows = () => page().getByRole('list', { name: 'Schedules' }).getByRole('listitem');
  const history = () => page().getByRole('list', { name: 'History' }).getByRole('listitem');
  const schedules = async () =>
    (
      await dashboard.roost.api<{ schedules: { id: string; enabled: boolean; cron_expression: string }[] }>(
        'GET',
        `/v1/agent/${agentId}/schedules`,
      )
    ).body.schedules;

  it('say how one is made while there is none, and show what an expression comes to while it is written', async () => {
    await dashboard.go(`/agents/${agentId}/schedules`);
    await page().getByText('roost schedules create "clockwork"').waitFor();
    await page().getByRole('link', { name: 'New schedule' }).click();
    await page().getByLabel('Cron expression').fill('30 7 * * 1');
    await page().getByLabel('Time zone').fill('Asia/Tokyo');
    await page().getByText('At 07:30, only on Monday').waitFor();
    await until('five Mondays are shown', async () => {
      const shown = await times().allInnerTexts();
      return shown.length === 5 && shown.every((text) => /^Mon\b.*07:30/s.test(text));
    });
    await page().getByLabel('Cron expression').fill('30 25 * * 1');
    await page()
      .getByText(/cron_expression:/)
      .waitFor();
    await page().getByRole('button', { name: 'Weekdays at 9' }).click();
    await page().getByText('At 09:00, Monday through Friday').waitFor();
  });

  it('asks before what was written is lost', async () => {
    await page().getByRole('link', { name: 'Cancel' }).click();
    await page().getByRole('dialog', { name: 'Leave without saving?' }).getByRole('button', { name: 'Stay' }).click();
    await expect.poll(() => page().getByLabel('Time zone').inputValue()).toBe('Asia/Tokyo');
  });

  it('are made, and run now, with what came of it and its run', async () => {
    await page().getByLabel('Name').fill('morning <b>report</b>');
    await page().getByLabel('Message').fill('run: echo it is {{date}}');
    await page().getByRole('button', { name: 'Make the schedule' }).click();
    await page().getByRole('heading', { name: 'morning <b>report</b>' }).waitFor();
    expect(await schedules()).toMatchObject([{ enabled: true, cron_expression: '0 9 * * 1-5' }]);
    await page().getByText('It has not fired yet').waitFor();
    await page().getByRole('button', { name: 'Run now' }).click();
    await history().filter({ hasText: 'Completed' }).waitFor();
    await history().getByRole('link', { name: /^Run/ }).click();
    await page().getByRole('list', { name: 'What happened' }).waitFor();
    await expect.poll(() => dashboard.place).toMatch(/\/runs\/[0-9a-f-]+/);
  });

  it('are paused and resumed, from their own page and from the list', async () => {
    await page().goBack();
    await page().getByRole('button', { name: 'Pause' }).click();
    await page().getByText('It fires no more until it is resumed.').waitFor();
    await until('it is paused', async () => (await schedules())[0]?.enabled === false);
    await page().getByRole('link', { name: 'Schedules' }).last().click();
    await rows().getByText('Paused').waitFor();
    await rows().getByRole('switch').click();
    await until('it fires again', async () => (await schedules())[0]?.enabled === true);
  });

  it('are changed, found again by their address with a filter, and deleted after a question', async () => {
    await page().keyboard.press('j');
    await page().keyboard.press('Enter');
    await page()
      .getByRole('button', { name: /^Actions for morning/ })
      .click();
    await page().getByRole('menuitem', { name: 'Edit' }).click();
    await page().getByLabel('Cron expression').fill('@hourly');
    await page().getByText('Every hour').waitFor();
    await page().getByRole('button', { name: 'Save' }).click();
    await page().getByRole('button', { name: 'Run now' }).waitFor();
    expect((await schedules())[0]?.cron_expression).toBe('@hourly');
    await page().getByLabel('Outcome').selectOption('Missed');
    await page().getByText('None is missed.').waitFor();
    await expect.poll(() => dashboard.place).toMatch(/\?status=missed$/);
    await page().reload();
    await page().getByText('None is missed.').waitFor();
    await page()
      .getByRole('button', { name: /^Actions for morning/ })
      .click();
    await page().getByRole('menuitem', { name: 'Delete …' }).click();
    await page().getByRole('button', { name: 'Delete it' }).click();
    await page().getByText('Let it work by the clock').waitFor();
    expect(await schedules()).toEqual([]);
    expect(dashboard.complaints).toEqual([]);
  });
});
