import { until } from '#lib/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Dashboard } from './open-dashboard.js';

const MORE_THAN_A_PAGE = 201;

describe('the audit', () => {
  let dashboard: Dashboard;
  let agentId: string;

  beforeAll(async () => {
    dashboard = await Dashboard.open();
    agentId = await dashboard.agent('watched');
    for (let nth = 0; nth < MORE_THAN_A_PAGE; nth += 1)
      await dashboard.roost.api('POST', `/v1/agent/update/${agentId}`, { description: `the ${nth}th` });
  });
  afterAll(async () => dashboard?.close());

  const page = () => dashboard.page;
  const records = () => page().getByRole('list', { name: 'Records' }).getByRole('listitem');

  it('shows what was done, page by page, with the fields but not their values', async () => {
    await page().getByRole('link', { name: 'Audit' }).click();
    await records().filter({ hasText: 'agent.updated' }).filter({ hasText: 'description' }).first().waitFor();
    await expect.poll(() => page().getByText('the 200th').count()).toBe(0);
    await until('older ones follow', async () => {
      await records().last().scrollIntoViewIfNeeded();
      return (await records().count()) > MORE_THAN_A_PAGE;
    });
  });

  it('is narrowed down by action, actor, target and time, also by its address', async () => {
    await page().getByLabel('Action').fill('agent.created');
    await until('one record is left', async () => (await records().count()) === 1);
    await records().getByRole('link', { name: 'watched' }).click();
    await until('its address says so', () => dashboard.place === `/audit?action=agent.created&target=${agentId}`);
    await page().reload();
    await until('it is the same', async () => (await records().count()) === 1);
    await expect.poll(() => page().getByLabel('Target').inputValue()).toBe(agentId);
    await page().getByLabel('Actor').fill('operator');
    await page().getByText('No record is like that.').waitFor();
    await page().getByRole('link', { name: 'Show all' }).click();
    await records().nth(3).waitFor();
    await page().getByLabel('To', { exact: true }).fill('2020-01-01');
    await page().getByText('No record is like that.').waitFor();
  });

  it('says the names of what is concerned, not only their ids', async () => {
    const { api } = dashboard.roost;
    const credential = { kind: 'bearer', token: 'a-token-of-this-test' };
    const { body } = await api<{ id: string }>('POST', '/v1/vault/secrets', {
      ...{ name: 'forge', hosts: ['forge.example.com'], credential },
    });
    await api('POST', `/v1/agent/${agentId}/vault/grants`, { secret_id: body.id, env_name: 'FORGE_TOKEN' });
    await dashboard.go('/audit?action=vault_grant.created');
    await records().getByText('secret:forge, agent:watched').waitFor();
    await dashboard.go('/audit?action=vault_secret.created');
    await records().getByRole('link', { name: 'forge' }).waitFor();
  });

  it('names the request of each, to be copied', async () => {
    await dashboard.context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await dashboard.go(`/audit?action=agent.created&from=nonsense`);
    await records().getByRole('button', { name: 'Copy the request’s id' }).click();
    await until('it is copied', async () => /^req_/.test(await page().evaluate('navigator.clipboard.readText()')));
    expect(dashboard.complaints).toEqual([]);
  });
});
