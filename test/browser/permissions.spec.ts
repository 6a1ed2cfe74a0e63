import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Dashboard } from './open-dashboard.js';

interface Agent {
  configuration: { permissions?: object };
}

describe('the permissions of an agent', () => {
  let dashboard: Dashboard;
  let agentId: string;

  beforeAll(async () => {
    dashboard = await Dashboard.open();
    agentId = await dashboard.agent('careful');
    await dashboard.go(`/agents/${agentId}/configuration`);
  });
  afterAll(async () => dashboard?.close());

  const page = () => dashboard.page;
  const rule = (number: number) => page().getByRole('group', { name: `Rule ${number}`, exact: true });
  const tried = () => page().getByRole('region', { name: 'Try a call' });
  const explain = async (command: string) => {
    await tried().getByLabel('Arguments').fill(JSON.stringify({ command }));
    await tried().getByRole('button', { name: 'Explain' }).click();
  };
  const save = () => page().getByRole('button', { name: 'Save', exact: true }).click();
  const permissions = async () =>
    (await dashboard.roost.api<Agent>('GET', `/v1/agent/${agentId}`)).body.configuration.permissions;

  it('are rules in their order, and can be tried before they are saved', async () => {
    await page().getByRole('button', { name: 'Add a rule' }).click();
    await page().getByLabel('Rule 1: tool').fill('bash');
    await rule(1).getByLabel('Its calls').selectOption('deny');
    await rule(1).getByRole('button', { name: 'Only with certain arguments' }).click();
    await page().getByLabel('Rule 1: argument 1').fill('command');
    await page().getByLabel('Rule 1: pattern 1').fill('rm *');
    await page().getByRole('button', { name: 'Add a rule' }).click();
    await page().getByLabel('Rule 2: tool').fill('bash');
    await explain('rm -rf /');
    await tried().getByText('It would be denied').waitFor();
    await explain('ls');
    await tried().getByText('It would be asked about').waitFor();
    await tried().getByText('Rule 1: command differs').waitFor();
    // The first that matches decides.
    await page().getByRole('button', { name: 'Rule 2 up' }).click();
    await explain('rm -rf /');
    await tried().getByText('It would be asked about').waitFor();
    await page().getByRole('button', { name: 'Rule 1 down' }).click();
    await expect.poll(() => page().getByLabel('Rule 1: pattern 1').inputValue()).toBe('rm *');
    expect(await permissions()).toBeUndefined();
    await save();
    await page().getByText('This is version 2.').waitFor();
    expect(await permissions()).toEqual({
      rules: [
        { tool: 'bash', arguments: { command: 'rm *' }, action: 'deny' },
        { tool: 'bash', action: 'ask' },
      ],
    });
  });

  it('that cannot be are shown at their rule', async () => {
    await page().getByLabel('Rule 1: kind of pattern 1').selectOption('regex');
    await page().getByLabel('Rule 1: pattern 1').fill('(rm');
    await save();
    await page().locator('input[aria-invalid=true]').waitFor();
    await expect.poll(() => page().getByLabel('Rule 1: tool').getAttribute('aria-invalid')).toBe('true');
    await page().getByLabel('Rule 1: pattern 1').fill('rm( .*)?');
  });

  it('say what becomes of all else, and who decides in chats', async () => {
    await page().getByLabel('All other calls').selectOption('ask');
    await page().getByLabel('Asked by a schedule or trigger').selectOption('deny');
    await page().getByLabel('Denied if nobody decides').fill('3600');
    await page().getByText('Now: 1 h.').waitFor();
    await page().getByLabel('In chats, only certain people decide').check();
    await page().getByLabel('Id of person 1').fill('4711');
    await page().getByRole('button', { name: 'Remove rule 2' }).click();
    await save();
    await page().getByText('This is version 3.').waitFor();
    expect(await permissions()).toEqual({
      ...{ default: 'ask', unattended: 'deny', expires_after_seconds: 3_600 },
      approvers: [{ platform: 'telegram', user_id: '4711' }],
      rules: [{ tool: 'bash', arguments: { command: { regex: 'rm( .*)?' } }, action: 'deny' }],
    });
    expect(dashboard.complaints).toEqual([]);
  });
});
