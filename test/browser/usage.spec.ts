import { until } from '#lib/testing';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Dashboard } from './open-dashboard.js';

interface Budget {
  agent_id: string | null;
  limit_usd: string | null;
  limit_tokens: number | null;
  period: string;
  is_exhausted: boolean;
}

describe('usage', () => {
  let dashboard: Dashboard;
  let agentId: string;

  beforeAll(async () => (dashboard = await Dashboard.open()));
  afterAll(async () => dashboard?.close());

  const page = () => dashboard.page;
  const figures = () => page().getByRole('region', { name: 'Usage in figures' });
  const rows = () => page().getByRole('list', { name: 'Budgets' }).getByRole('listitem');
  const budgets = async () => (await dashboard.roost.api<{ budgets: Budget[] }>('GET', '/v1/budgets')).body.budgets;

  it('says how it is read while nothing was used', async () => {
    await page().getByRole('link', { name: 'Usage' }).click();
    await page()
      .getByText(/^roost usage/)
      .waitFor();
  });

  it('shows tokens and cost by day in a chart, and by agent in a table', async () => {
    agentId = await dashboard.agent('spender');
    await dashboard.say(agentId, 'hello');
    await page().reload();
    await page().getByRole('img', { name: 'Tokens by day' }).locator('canvas').waitFor();
    await figures().getByRole('link', { name: 'spender' }).waitFor();
    const { body } = await dashboard.roost.api<{ total: { input_tokens: number } }>('GET', '/v1/usage');
    expect(body.total.input_tokens).toBeGreaterThan(0);
    await figures()
      .getByRole('row', { name: 'Total' })
      .getByText(body.total.input_tokens.toLocaleString('en'))
      .waitFor();
    // The day that the pointer is on is said in words: today's is the last bar.
    const chart = page().getByRole('img', { name: 'Tokens by day' });
    const box = await chart.boundingBox();
    if (!box) throw new Error('the chart has no place');
    await page().mouse.move(box.x + box.width - 20, box.y + box.height / 2);
    await page()
      .getByText(/^\S+ written$/)
      .waitFor();
  });

  it('has an address for what is looked at', async () => {
    await page().getByRole('button', { name: '7 days' }).click();
    await page().getByRole('button', { name: 'Model' }).click();
    await page().getByRole('button', { name: 'Cost', exact: true }).click();
    await expect.poll(() => dashboard.place).toBe('/usage?days=7&by=model&show=cost');
    await page().reload();
    await figures().getByRole('row', { name: 'demo/demo' }).waitFor();
    await page().getByLabel('From', { exact: true }).fill('2026-01-01');
    await page().getByLabel('To', { exact: true }).fill('2026-01-02');
    await page().getByText('Nothing was used in this time').waitFor();
    await expect.poll(() => dashboard.place).toContain('from=2026-01-01&to=2026-01-02');
    await dashboard.go('/usage?by=nothing&days=9');
    await figures().getByRole('link', { name: 'spender' }).waitFor();
  });

  it('is downloaded as CSV', async () => {
    const [download] = await Promise.all([
      page().waitForEvent('download'),
      page().getByRole('link', { name: 'CSV' }).click(),
    ]);
    expect(readFileSync(await download.path(), 'utf8')).toContain(agentId);
  });

  it('is capped by a budget, which says what is used of it', async () => {
    await page().getByRole('navigation', { name: 'Usage' }).getByRole('link', { name: 'Budgets' }).click();
    await page()
      .getByText(/^roost budgets set/)
      .waitFor();
    await page().getByRole('link', { name: 'New budget' }).click();
    await page().getByLabel('Of', { exact: true }).selectOption('spender');
    await page().getByLabel('In', { exact: true }).selectOption('Tokens');
    await page().getByLabel('At most').fill('a lot');
    await page().getByRole('button', { name: 'Make the budget' }).click();
    await page().getByText('The budget was not saved').waitFor();
    await page().getByLabel('At most').fill('1');
    await page().getByRole('button', { name: 'Make the budget' }).click();
    await rows().getByText('Exhausted: messages wait').waitFor();
    expect(await budgets()).toMatchObject([
      { agent_id: agentId, limit_tokens: 1, period: 'month', is_exhausted: true },
    ]);
  });

  it('goes on when the cap is raised, and without a cap', async () => {
    await rows().getByRole('button', { name: 'Actions for the budget of spender' }).click();
    await page().getByRole('menuitem', { name: 'Edit' }).click();
    await page().getByLabel('At most').fill('1000000');
    await page().getByRole('button', { name: 'Save' }).click();
    await rows().getByText('of 1M tokens').waitFor();
    await until('it is exhausted no more', async () => (await budgets())[0]?.is_exhausted === false);
    await rows().getByRole('button', { name: 'Actions for the budget of spender' }).click();
    await page().getByRole('menuitem', { name: 'Delete …' }).click();
    await page().getByRole('button', { name: 'Delete it' }).click();
    await page().getByText('Nobody spends more than you allow').waitFor();
    expect(await budgets()).toEqual([]);
    expect(dashboard.complaints).toEqual([]);
  });
});
