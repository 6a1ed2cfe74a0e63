import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Dashboard } from './open-dashboard.js';

interface Agent {
  version: number;
  system_prompt: string;
  description: string | null;
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
  const saveDraft = () => page().getByRole('button', { name: 'Save as a draft' });
  const answering = () => page().getByRole('group', { name: 'Which version answers' });
  const pinOf = async (conversation: string) =>
    (
      await dashboard.roost.api<{ conversations: { id: string; pinned_version: number | null }[] }>(
        'GET',
        `/v1/agent/${agentId}/conversations`,
      )
    ).body.conversations.find(({ id }) => id === conversation)?.pinned_version;
  /** What the agent has, as the configuration screen edits it. */
  const settings = async () => {
    const now: Partial<Record<string, unknown>> = { ...(await agent()) };
    const names = ['name', 'description', 'system_prompt', 'system_prompt_type', 'session_mode', 'pvc_size'];
    const edited = [...names, 'warmth_window_ms', 'output_token_balance', 'configuration'];
    const fields = Object.fromEntries(edited.map((field) => [field, now[field]]));
    return { ...fields, configuration: now['configuration'] as object };
  };
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
    await expect.poll(() => dashboard.place).toBe(`/agents/${agentId}/versions/2?with=3`);
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
  });

  it('are drafts when they are to be tried first, made by the form or as YAML: the agent stays as it is', async () => {
    await dashboard.go(`/agents/${agentId}/configuration`);
    await page().getByLabel('Name', { exact: true }).fill('renamed');
    await page().getByText('A draft cannot change these, save them instead: name.').waitFor();
    await expect.poll(() => saveDraft().isDisabled()).toBe(true);
    await page().getByLabel('Name', { exact: true }).fill('changeable');
    await page().getByRole('region', { name: 'The agent' }).getByLabel('Instructions').fill('Rhyme.');
    await page().getByLabel('Note').fill('for the party');
    await saveDraft().click();
    await page().getByRole('heading', { name: 'Draft 6' }).waitFor();
    await page().getByText('From version 5, the present one, to version 6.').waitFor();
    await page().getByRole('region', { name: 'After: system_prompt' }).getByText('Rhyme.').waitFor();

    await dashboard.go(`/agents/${agentId}/configuration`);
    await page().getByRole('button', { name: 'YAML' }).click();
    const { configuration, ...fields } = await settings();
    // JSON is YAML.
    const write = async (changed: object) => {
      await page().getByRole('textbox', { name: 'Agent as YAML' }).press('Control+a');
      await page().keyboard.press('Delete');
      await page().keyboard.insertText(JSON.stringify({ ...fields, configuration: { ...configuration, ...changed } }));
    };
    await write({ custom_env: { TOKEN: 'third' } });
    await saveDraft().click();
    await page().getByRole('alert').getByText('a draft holds no values of secrets').waitFor();
    await write({ timeout_seconds: 90 });
    await saveDraft().click();
    await page().getByRole('heading', { name: 'Draft 7' }).waitFor();
    await page().getByRole('region', { name: 'After: configuration.timeout_seconds' }).getByText('90').waitFor();
    expect(await agent()).toMatchObject({ version: 5, system_prompt: 'Be brief.' });
  });

  it('are tried in a conversation of their own, which says what answers, and can be pinned', async () => {
    await dashboard.go(`/agents/${agentId}/versions`);
    await versions().filter({ hasText: 'for the party' }).getByText('Draft').waitFor();
    await page().getByRole('link', { name: 'Version 6' }).click();
    await page().getByRole('button', { name: 'Try it in chat' }).click();
    await answering().getByText('Version 6 answers what you send now.').waitFor();
    await page().getByRole('textbox', { name: 'Message to changeable' }).fill('list files');
    await page().keyboard.press('Enter');
    // Answered: while the conversation gets its address and its place in the list, what is clicked may be put there anew.
    await page().getByRole('link', { name: 'Run', exact: true }).waitFor();
    await answering().getByRole('button', { name: 'Pin it here' }).click();
    await page().getByText('Version 6 answers here from now on.').waitFor();
    await answering().getByRole('button', { name: 'Stop trying it' }).click();
    await answering().getByText('Version 6 answers here: it is pinned.').waitFor();
    await answering().getByText('Draft').waitFor();
    await page().getByRole('link', { name: 'Run', exact: true }).click();
    await page().getByRole('region', { name: 'Detail' }).getByRole('link', { name: '6', exact: true }).waitFor();
  });

  it('are pinned to a conversation, until they are unpinned', async () => {
    await dashboard.say(agentId, 'list files');
    await dashboard.go(`/agents/${agentId}/chat`);
    const conversations = page().getByRole('navigation', { name: 'Conversations' });
    await conversations.getByRole('link', { name: /^Begun/ }).click();
    await answering().getByText('Version 6 answers here').waitFor();
    // The main one's address is a part of its address.
    await expect.poll(() => conversations.locator('[aria-current]').count()).toBe(1);
    await conversations.getByRole('link', { name: 'Main conversation' }).click();
    await answering().getByText('Version 5, the present one, answers.').waitFor();
    await answering().getByRole('button', { name: 'Pin a version' }).click();
    await page().getByLabel('Version', { exact: true }).selectOption('1');
    await page().getByRole('button', { name: 'Pin', exact: true }).click();
    await answering().getByText('Version 1 answers here: it is pinned.').waitFor();
    const listed = page().getByRole('navigation', { name: 'Conversations' }).getByText('v1', { exact: true });
    await listed.waitFor();
    expect(await pinOf('default')).toBe(1);
    await answering().getByRole('button', { name: 'Unpin' }).click();
    await answering().getByText('Version 5, the present one, answers.').waitFor();
    await listed.waitFor({ state: 'detached' });
    expect(await pinOf('default')).toBeNull();
  });

  it('are published while somebody else edits, and neither is lost', async () => {
    const other = await dashboard.context.newPage();
    await other.goto(`${dashboard.roost.url}/agents/${agentId}/configuration`);
    await other.getByLabel('Description').fill('theirs');
    await dashboard.go(`/agents/${agentId}/versions/6`);
    await page().getByRole('button', { name: 'Publish it' }).click();
    await page().getByRole('button', { name: 'Publish', exact: true }).click();
    await versions().first().getByText('publish draft 6').waitFor();
    expect(await agent()).toMatchObject({ version: 8, system_prompt: 'Rhyme.', description: 'changed meanwhile' });
    await other.getByRole('button', { name: 'Save', exact: true }).click();
    const dialog = other.getByRole('dialog', { name: 'Somebody else has saved version 8 meanwhile' });
    await dialog.getByText('You changed different fields.').waitFor();
    await dialog.getByRole('button', { name: 'Save mine on top of theirs' }).click();
    await other.getByText('This is version 9.').waitFor();
    expect(await agent()).toMatchObject({ version: 9, system_prompt: 'Rhyme.', description: 'theirs' });
    await other.close();
    expect(dashboard.complaints).toEqual([]);
  });
});
