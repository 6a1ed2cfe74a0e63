import { until } from '#lib/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Dashboard } from './open-dashboard.js';

const CANARY = 'canary-of-the-vault';

describe('the vault', () => {
  let dashboard: Dashboard;
  let agentId: string;

  beforeAll(async () => {
    dashboard = await Dashboard.open();
    agentId = (await dashboard.roost.api<{ id: string }>('POST', '/v1/agent/create', { name: 'keeper' })).body.id;
  });
  afterAll(async () => dashboard?.close());

  const page = () => dashboard.page;
  const secrets = () => page().getByRole('list', { name: 'Secrets' }).getByRole('listitem');
  const granted = () => page().getByRole('list', { name: 'Granted secrets' }).getByRole('listitem');

  it('takes a secret, whose value is never shown again', async () => {
    await page().getByRole('link', { name: 'Settings' }).click();
    await page().getByRole('navigation', { name: 'Settings' }).getByRole('link', { name: 'Vault' }).click();
    await page().getByRole('link', { name: 'New secret' }).click();
    await page().getByLabel('Name', { exact: true }).fill('forge');
    await page().getByLabel('Hosts').fill('forge.example.com\n*.github.io');
    await page().getByLabel('Kind').selectOption('User name and password');
    await page().getByLabel('User name', { exact: true }).fill('ada');
    await page().getByLabel('Password', { exact: true }).fill(CANARY);
    await page().getByRole('button', { name: 'Put it into the vault' }).click();
    await page().getByText('stands for hosts of anybody').first().waitFor();
    await expect.poll(() => page().getByLabel('Hosts').getAttribute('aria-invalid')).toBe('true');
    await page().getByLabel('Hosts').fill('forge.example.com');
    await page().keyboard.press('Control+Enter');
    await secrets().filter({ hasText: 'forge' }).getByText('never used').waitFor();
    expect(await page().content()).not.toContain(CANARY);
  });

  it('begins at the first field, keeps what was typed from a click beside it, and gives the focus back', async () => {
    await page().getByRole('link', { name: 'New secret' }).press('Enter');
    const name = page().getByLabel('Name', { exact: true });
    await until('it is typed into', () => name.evaluate((field) => field.ownerDocument.activeElement === field));
    await page().keyboard.type('half');
    await page().mouse.click(5, 5);
    await expect.poll(() => name.inputValue()).toBe('half');
    await page().keyboard.press('Escape');
    await page().getByRole('dialog').waitFor({ state: 'detached' });
    const opener = page().getByRole('link', { name: 'New secret' });
    await until('it goes on there', () => opener.evaluate((link) => link.ownerDocument.activeElement === link));
  });

  it('lets an agent use it, and shows what it did with it', async () => {
    await page().goto(`${dashboard.roost.url}/agents/${agentId}/secrets`);
    await page().getByLabel('Variable').fill('FORGE_PASSWORD');
    await page().getByRole('button', { name: 'Grant it' }).click();
    await granted().filter({ hasText: '$FORGE_PASSWORD' }).getByText('Never used').waitFor();
    const path = `/v1/agent/${agentId}/vault/grants`;
    const { body } = await dashboard.roost.api<{ grants: { secret: string; env_name: string }[] }>('GET', path);
    expect(body.grants).toMatchObject([{ secret: 'forge', env_name: 'FORGE_PASSWORD' }]);
    await page().getByRole('button', { name: 'Revoke forge' }).click();
    await page().getByRole('button', { name: 'Revoke it' }).click();
    await granted().first().waitFor({ state: 'detached' });
  });

  it('changes hosts and keeps the value, or rotates it, or deletes all', async () => {
    await page().goto(`${dashboard.roost.url}/settings/vault`);
    await page().getByRole('button', { name: 'Actions for forge' }).click();
    await page().getByRole('menuitem', { name: 'Edit or rotate' }).click();
    await page().getByLabel('Hosts').fill('forge.example.com\n*.example.org');
    await page().getByRole('button', { name: 'Save' }).click();
    await secrets().getByText('*.example.org').waitFor();
    await page().getByRole('button', { name: 'Actions for forge' }).click();
    await page().getByRole('menuitem', { name: 'Delete …' }).click();
    await page().getByRole('button', { name: 'Delete it' }).click();
    await page().getByText('No key needs to lie in a sandbox').waitFor();
  });
});
