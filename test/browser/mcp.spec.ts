import { MisbehavingMcpServer, until } from '#lib/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OAuthMcpServer, oauthMcpServer } from '../doubles/oauth-mcp-server.js';
import { Dashboard } from './open-dashboard.js';

const TEXT = { type: 'object', properties: { text: { type: 'string' } } };

describe('the MCP servers of an agent', () => {
  let dashboard: Dashboard;
  let agentId: string;
  let guarded: OAuthMcpServer;
  let plain: MisbehavingMcpServer;

  beforeAll(async () => {
    [guarded, plain, dashboard] = await Promise.all([oauthMcpServer(), MisbehavingMcpServer.start(), Dashboard.open()]);
    agentId = await dashboard.agent('reacher');
  });
  afterAll(async () => {
    await dashboard?.close();
    await plain?.stop();
    guarded?.close();
  });

  const page = () => dashboard.page;
  const rows = () => page().getByRole('list', { name: 'MCP servers' }).getByRole('listitem');
  const add = async (name: string, url: string) => {
    await dashboard.go(`/agents/${agentId}/mcp`);
    await page().getByRole('link', { name: 'Add a server' }).click();
    await page().getByLabel('Name').fill(name);
    await page().getByLabel('URL', { exact: true }).fill(url);
    await page().getByRole('button', { name: 'Add the server' }).click();
    await page().getByRole('heading', { name, level: 2 }).waitFor();
  };
  const granted = async () =>
    (await dashboard.roost.api<{ mcp_servers: { name: string; access_mode: string }[] }>('GET', `/v1/agent/${agentId}`))
      .body.mcp_servers;

  it('are added for the agent, and say how they are and which tools are left out, and why', async () => {
    plain.tools = { echo: TEXT, shout: TEXT, broken: { type: 'string' } };
    await dashboard.go(`/agents/${agentId}/mcp`);
    await page().getByText('Give it tools from elsewhere').waitFor();
    await add('plain', plain.url);
    await page().getByText('left out: broken (its input is no object)').waitFor();
    await page().getByText('Connected').waitFor();
    for (const tool of ['echo', 'shout'])
      await expect.poll(() => page().getByLabel(tool, { exact: true }).isChecked()).toBe(true);
    expect(await granted()).toMatchObject([{ name: 'plain', access_mode: 'all' }]);
  });

  it('give the agent all tools, some of them, or none', async () => {
    await page().getByLabel('shout', { exact: true }).click();
    await until('some are granted', async () => (await granted())[0]?.access_mode === 'selected');
    await page().getByRole('link', { name: 'MCP servers' }).click();
    await rows().getByText('some of them').waitFor();
    await rows().getByRole('switch').click();
    await until('none is', async () => (await granted()).length === 0);
    await rows().getByRole('switch').click();
    await until('all are', async () => (await granted())[0]?.access_mode === 'all');
  });

  it('are authorised where they ask for it, by their own sign-in', async () => {
    await add('calendar', guarded.url);
    await page().getByText('Needs you').waitFor();
    await page().getByRole('button', { name: 'Authorise' }).click();
    await page().getByText('calendar can be used.').waitFor();
    await page().getByText('Authorised by OAuth').waitFor();
    await expect.poll(() => page().getByLabel('whoami').isChecked()).toBe(true);
    await expect.poll(() => new URL(page().url()).search).toBe('');
    const kept = await page().evaluate('JSON.stringify([localStorage, sessionStorage])');
    expect(kept).toBe('[{},{}]');
    // An answer that nobody asked for in this tab is an attack.
    await dashboard.go('/mcp/callback?code=stolen&state=another');
    await page().getByText('Access was not granted').waitFor();
  });

  it('say why they cannot be reached', async () => {
    await plain.stop();
    await dashboard.go(`/agents/${agentId}/mcp`);
    await page().getByRole('link', { name: 'plain' }).click();
    await page()
      .getByRole('region', { name: 'Health' })
      .getByText(/ECONNREFUSED/)
      .waitFor();
    await page().getByText('Failed', { exact: true }).waitFor();
  });

  it('are changed without their secrets being shown, and removed after a question', async () => {
    await page().getByRole('button', { name: 'Actions for plain' }).click();
    await page().getByRole('menuitem', { name: 'Edit' }).click();
    await page().getByRole('button', { name: 'In the workspace' }).click();
    await page().getByLabel('Command', { exact: true }).fill('my-mcp-server');
    await page().getByRole('button', { name: 'Add one' }).click();
    await page().getByLabel('Environment: name 1').fill('TOKEN');
    await page().getByLabel('Environment: value 1').fill('canary-7f3a');
    await page().getByRole('button', { name: 'Save' }).click();
    await page().getByText('TOKEN').waitFor();
    await page().getByText('my-mcp-server').first().waitFor();
    expect(await page().content()).not.toContain('canary-7f3a');
    await page().getByRole('button', { name: 'Actions for plain' }).click();
    await page().getByRole('menuitem', { name: 'Remove …' }).click();
    await page().getByRole('button', { name: 'Remove it' }).click();
    await until('one is left', async () => (await rows().count()) === 1);
    expect(dashboard.complaints).toEqual([]);
  });
});
