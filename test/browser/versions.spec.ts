import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Dashboard } from './open-dashboard.js';

interface Agent {
  version: number;
  system_prompt: string;
}

describe('the versions of an agent', () => {
  let dashboard: Dashboard;
  let agentId: string;

  beforeAll(async () => {
    dashboard = await Dashboard.open();
    agentId = await dashboard.agent('changeable', {
      system_prompt: 'Be brief.',
      configuration: { custom_env: { TOKEN: 'first' } },
    });
  });
  afterAll(async () => dashboard?.close());

  const page = () => dashboard.page;
  const versions = () => page().getByRole('list', { name: 'Versions' }).getByRole('listitem');
  const update = (fields: object) => dashboard.roost.api('POST', `/v1/agent/update/${agentId}`, fields);
  const agent = async () => (await dashboard.roost.api<Agent>('GET', `/v1/agent/${agentId}`)).body;

  it('are listed with what changed, and why', async () => {
    await dashboard.go(`/agents/${agentId}/versions`);
    await versions().getByText('What it was made with').waitFor();
    await page().getByText('roost agents versions "changeable"').waitFor();
    await update({ system_prompt: 'Be <b>polite</b>.', note: 'people found it curt' });
    await update({ configuration: { custom_env: { TOKEN: 'second' } } });
    await page().reload();
    await versions().filter({ hasText: 'system_prompt' }).getByText('people found it curt').waitFor();
    await versions().first().getByText('Present').waitFor();
  });

  it('are compared field by field; of secrets it is said when they were set', async () => {
    await page().getByRole('link', { name: 'Version 2' }).click();
    await page().getByText('From version 1 to version 2.').waitFor();
    await page().getByRole('region', { name: 'Before: system_prompt' }).getByText('Be brief.').waitFor();
    await page().getByRole('region', { name: 'After: system_prompt' }).getByText('Be <b>polite</b>.').waitFor();
    await page().getByLabel('Compare with version').fill('3');
    await page().getByText('From version 2 to version 3, the present one.').waitFor();
    expect(dashboard.place).toBe(`/agents/${agentId}/versions/2?with=3`);
    await page().getByText('a secret, set in version 3').waitFor();
    expect(await page().content()).not.toContain('second');
    await page().getByLabel('Compare with version').fill('2');
    await page().getByText('Nothing differs.').waitFor();
  });

  it('are gone back to after a question, which says what could not be brought back', async () => {
    await dashboard.go(`/agents/${agentId}/versions/1`);
    await page().getByRole('button', { name: 'Roll back to it' }).click();
    await page().getByLabel('Note').fill('curt is better');
    await page().getByRole('button', { name: 'Roll back', exact: true }).click();
    await page().getByRole('list', { name: 'Not restored' }).getByText('the present one stays').waitFor();
    await page().getByRole('button', { name: 'To the versions' }).click();
    await versions().first().getByText('curt is better').waitFor();
    expect(await agent()).toMatchObject({ version: 4, system_prompt: 'Be brief.' });
  });

  it('refuse to go back when somebody else was quicker', async () => {
    await dashboard.go(`/agents/${agentId}/versions/2`);
    await page().getByRole('button', { name: 'Roll back to it' }).click();
    await update({ description: 'changed meanwhile' });
    await page().getByRole('button', { name: 'Roll back', exact: true }).click();
    await page().getByText('Nothing was changed').waitFor();
    expect((await agent()).version).toBe(5);
    expect(dashboard.complaints).toEqual([]);
  });
});
