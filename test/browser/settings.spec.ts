import { newAccount } from '#lib/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Dashboard } from './open-dashboard.js';

describe('settings', () => {
  let dashboard: Dashboard;
  let key: string;

  beforeAll(async () => (dashboard = await Dashboard.open()));
  afterAll(async () => dashboard?.close());

  const page = () => dashboard.page;
  const tab = (name: string) =>
    page().getByRole('navigation', { name: 'Settings' }).getByRole('link', { name }).click();
  const keys = () => page().getByRole('list', { name: 'API keys' }).getByRole('listitem');
  const statusWith = async (apiKey: string) => {
    const answer = await fetch(`${dashboard.roost.url}/auth/fetch_user`, {
      headers: { authorization: `Bearer ${apiKey}` },
    });
    return answer.status;
  };

  it('make an API key, which is shown once and works', async () => {
    await page().getByRole('link', { name: 'Settings' }).click();
    await keys().first().waitFor();
    await page().getByRole('link', { name: 'New key' }).click();
    await expect.poll(() => dashboard.place).toBe('/settings?new=true');
    await page().getByLabel('Name', { exact: true }).fill('ci');
    await page().getByRole('button', { name: 'Make the key' }).click();
    await page().getByText('it is not shown again').waitFor();
    key = ((await page().getByRole('dialog').getByLabel('Secret', { exact: true }).textContent()) ?? '').trim();
    await page().getByRole('button', { name: 'I have kept it' }).click();
    await keys().filter({ hasText: 'ci' }).getByText('never used').waitFor();
    await expect.poll(() => page().getByText(key).count()).toBe(0);
    expect(await statusWith(key)).toBe(200);
  });

  it('revoke it after a question', async () => {
    await page().getByRole('button', { name: 'Revoke ci' }).click();
    await page().getByRole('button', { name: 'Keep it' }).click();
    expect(await statusWith(key)).toBe(200);
    await page().getByRole('button', { name: 'Revoke ci' }).click();
    await page().getByRole('button', { name: 'Revoke it' }).click();
    await keys().filter({ hasText: 'ci' }).waitFor({ state: 'detached' });
    expect(await statusWith(key)).toBe(401);
  });

  it('set, replace and delete the key of a provider, which is never shown', async () => {
    await tab('Provider keys');
    await page().getByLabel('Key of Anthropic').fill('sk-ant-first');
    await page().getByRole('button', { name: 'Set the key' }).first().click();
    await page().getByText('The key of Anthropic is set.').waitFor();
    await expect.poll(() => page().getByLabel('New key of Anthropic').inputValue()).toBe('');
    await page().getByLabel('New key of Anthropic').fill('sk-ant-second');
    await page().getByRole('button', { name: 'Replace it' }).click();
    await page().getByRole('button', { name: 'Delete the key of Anthropic' }).waitFor();
    expect(await page().content()).not.toContain('sk-ant-first');
    await page().getByRole('button', { name: 'Delete the key of Anthropic' }).click();
    await page().getByRole('button', { name: 'Delete it' }).click();
    await page().getByText('The key of Anthropic is deleted.').waitFor();
    const { body } = await dashboard.roost.api<{ provider_keys: object[] }>('GET', '/auth/provider_keys');
    expect(body.provider_keys).toEqual([]);
  });

  it('show what the account may have, and has', async () => {
    await dashboard.agent('one of them');
    await tab('Quotas');
    await page()
      .getByRole('list', { name: 'Quotas' })
      .getByText(/^1 of \d+$/)
      .first()
      .waitFor();
    await page().getByRole('meter', { name: 'Used: Agents' }).waitFor();
  });

  it('show who is signed in, and sign out', async () => {
    await tab('Profile');
    await page().getByRole('heading', { name: 'Signed in by an API key' }).waitFor();
    await page().getByRole('main').getByRole('button', { name: 'Sign out', exact: true }).click();
    await page().getByRole('heading', { name: 'Sign in to Roost' }).waitFor();
  });

  it('change the password of a person, and sign them out everywhere', async () => {
    const { email, password } = await newAccount(dashboard.roost);
    await dashboard.go('/sign-in?to=/settings/profile');
    await page().getByRole('button', { name: 'Email' }).click();
    await page().getByLabel('Email').fill(email);
    await page().getByLabel('Password').fill(password);
    await page().getByRole('button', { name: 'Sign in', exact: true }).click();
    await page().getByRole('heading', { name: email }).waitFor();
    const change = async (present: string) => {
      await page().getByLabel('Present password').fill(present);
      await page().getByLabel('New password').fill('a much better one');
      await page().getByRole('button', { name: 'Change the password' }).click();
    };
    await change('not the one');
    await page().getByText('The password was not changed').waitFor();
    await change(password);
    await page().getByText('The password is changed.').waitFor();
    await page().getByRole('button', { name: 'Sign out everywhere' }).click();
    await page().getByRole('heading', { name: 'Sign in to Roost' }).waitFor();
    expect(dashboard.complaints).toEqual([]);
  });
});
