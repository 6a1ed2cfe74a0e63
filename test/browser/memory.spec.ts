import { until } from '#lib/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Dashboard } from './open-dashboard.js';

describe('what an agent keeps in mind', () => {
  let dashboard: Dashboard;
  let agentId: string;

  beforeAll(async () => {
    dashboard = await Dashboard.open();
    agentId = await dashboard.agent('rememberer', { session_mode: 'persistent' });
  });
  afterAll(async () => dashboard?.close());

  const page = () => dashboard.page;
  const files = (path: string) => `/v1/agent/${agentId}/filesystem/files/${path}`;
  const list = (name: string) => page().getByRole('list', { name }).getByRole('listitem');

  it('is nothing at first, and is begun for it', async () => {
    await dashboard.go(`/agents/${agentId}/memory`);
    await page().getByText('Nobody has talked to it yet.').waitFor();
    await page().getByRole('button', { name: 'Begin memory/index.md' }).click();
    await page().getByRole('textbox', { name: 'Text of memory/index.md' }).fill('The team meets on Tuesdays.');
    await page().getByRole('button', { name: 'Save' }).click();
    await until('it is written', async () => {
      const { body } = await dashboard.roost.api<{ content: string }>('GET', files('memory/index.md'));
      return body.content === 'The team meets on Tuesdays.';
    });
  });

  it('is read and changed file by file, with those that the agent wrote', async () => {
    await dashboard.roost.api('POST', files('memory/people/ada.md'), { content: 'Likes tea.' });
    await page().reload();
    await list('Files of the memory').filter({ hasText: 'memory/index.md' }).getByText('In context').waitFor();
    await page()
      .getByRole('link', { name: /ada\.md/ })
      .click();
    await page().getByRole('textbox', { name: 'Text of memory/people/ada.md' }).getByText('Likes tea.').waitFor();
    await expect.poll(() => dashboard.place).toBe(`/agents/${agentId}/memory?path=memory%2Fpeople%2Fada.md`);
  });

  it('of a conversation is ended after a question, and its messages stay', async () => {
    await dashboard.say(agentId, 'hello');
    await dashboard.go(`/agents/${agentId}/memory`);
    await list('Sessions').getByText('Main conversation').waitFor();
    await page().getByRole('button', { name: 'Begin afresh: Main conversation' }).click();
    await page().getByRole('dialog').getByRole('button', { name: 'Begin afresh' }).click();
    await page().getByText('1 session is ended.').waitFor();
    await page().getByRole('button', { name: 'Begin all afresh' }).click();
    await page().getByRole('dialog').getByRole('button', { name: 'Begin afresh' }).click();
    await page().getByText('No session was open.').waitFor();
    await page().getByRole('link', { name: 'Main conversation' }).click();
    await page().getByRole('log', { name: 'Conversation' }).getByText('hello').first().waitFor();
    expect(dashboard.complaints).toEqual([]);
  });

  it('is one file where the agent is configured so', async () => {
    const flat = await dashboard.agent('flat', { configuration: { memory_config: { type: 'flat' } } });
    await dashboard.roost.api('POST', `/v1/agent/${flat}/filesystem/files/MEMORY.md`, { content: 'All of it.' });
    await dashboard.go(`/agents/${flat}/memory`);
    await list('Files of the memory').getByText('MEMORY.md').click();
    await page().getByRole('textbox', { name: 'Text of MEMORY.md' }).getByText('All of it.').waitFor();
  });
});
