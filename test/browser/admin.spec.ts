import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Dashboard } from './open-dashboard.js';

const PERSON = { email: 'grace@example.test', password: 'correct horse battery' };

describe('admin', () => {
  let dashboard: Dashboard;
  beforeAll(async () => (dashboard = await Dashboard.open()));
  afterAll(async () => dashboard?.close());

  const page = () => dashboard.page;
  const accounts = () => page().getByRole('list', { name: 'Accounts' }).getByRole('listitem');
  const ofAgents = () =>
    page()
      .getByRole('list', { name: 'Quotas' })
      .getByRole('listitem')
      .filter({ has: page().getByRole('meter', { name: 'Used: Agents' }) });
  const tokenOf = async (person: typeof PERSON) => {
    const { body } = await dashboard.roost.api<{ token: string }>('POST', '/auth/login', person, { authorization: '' });
    return { authorization: `Bearer ${body.token}` };
  };

  it('makes an account whose user can sign in, and finds it', async () => {
    await page().getByRole('link', { name: 'Admin' }).click();
    await accounts().first().waitFor();
    await page().getByRole('link', { name: 'New account' }).click();
    await page().getByLabel('Email').fill(PERSON.email);
    await page().getByLabel('Password').fill(PERSON.password);
    await page().getByRole('button', { name: 'Make the account' }).click();
    await page().getByText('can sign in now').waitFor();
    await page().getByLabel('Search accounts').fill('GRACE');
    await accounts().filter({ hasText: PERSON.email }).waitFor();
    await accounts().filter({ hasText: 'local' }).waitFor({ state: 'detached' });
    const own = await tokenOf(PERSON);
    expect((await dashboard.roost.api('GET', '/v1/agent/list', undefined, own)).status).toBe(200);
    // Whom it was made for is no operator.
    expect((await dashboard.roost.api('GET', '/v1/admin/accounts', undefined, own)).status).toBe(403);
  });

  it('closes agents to it, and changes a limit', async () => {
    await page().getByRole('link', { name: PERSON.email }).click();
    await page().getByRole('switch', { name: 'May have agents' }).click();
    await page().getByText('cannot be reached now').waitFor();
    const own = await tokenOf(PERSON);
    expect((await dashboard.roost.api('GET', '/v1/agent/list', undefined, own)).status).toBe(403);
    await page().getByRole('button', { name: 'Change Agents' }).click();
    await page().getByLabel('At most').fill('3');
    await page().getByRole('button', { name: 'Set the limit' }).click();
    await ofAgents().getByText('0 of 3').waitFor();
    await page().getByRole('button', { name: 'Change Agents' }).click();
    await page().getByRole('button', { name: 'As for all accounts' }).click();
    await ofAgents().getByText('0 of 200').waitFor();
  });

  it('deletes it after a question, and never one’s own', async () => {
    await page().getByRole('button', { name: 'Delete …' }).click();
    await page().getByRole('button', { name: 'Delete permanently' }).click();
    await accounts().filter({ hasText: 'local' }).waitFor();
    await page().getByRole('link', { name: 'local' }).click();
    await page().getByText('This is your own account').waitFor();
    await expect.poll(() => page().getByRole('button', { name: 'Delete …' }).count()).toBe(0);
    const id = dashboard.place.split('/').at(-1) ?? '';
    expect((await dashboard.roost.api('DELETE', `/v1/admin/accounts/${id}`)).status).toBe(409);
  });

  it('shows whether each service can do its work', async () => {
    await page().getByRole('link', { name: 'Accounts' }).click();
    await page().getByRole('navigation', { name: 'Admin' }).getByRole('link', { name: 'Services' }).click();
    const services = page().getByRole('list', { name: 'Services' }).getByRole('listitem');
    await services.filter({ hasText: 'channels' }).waitFor();
    await expect.poll(() => services.filter({ hasText: 'Up' }).count()).toBe(6);
  });
});
