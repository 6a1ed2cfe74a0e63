import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Dashboard } from './open-dashboard.js';

interface Agent {
  version: number;
  name: string;
  description: string | null;
  system_prompt: string | null;
  configuration: Record<string, unknown>;
  provider_keys_configured: string[];
}
interface Version {
  note: string | null;
  changed: string[];
}

describe('the configuration of an agent', () => {
  let dashboard: Dashboard;
  let agentId: string;

  beforeAll(async () => {
    dashboard = await Dashboard.open();
    agentId = await dashboard.agent('editable', {
      description: 'to be changed',
      configuration: {
        custom_env: { TOKEN: 'canary-41c9' },
        compaction: { threshold_trigger: 90_000, instructions: 'x' },
      },
    });
  });
  afterAll(async () => dashboard?.close());

  const page = () => dashboard.page;
  const place = () => `/agents/${agentId}/configuration`;
  const update = (fields: object) => dashboard.roost.api('POST', `/v1/agent/update/${agentId}`, fields);
  const agent = async () => (await dashboard.roost.api<Agent>('GET', `/v1/agent/${agentId}`)).body;
  const newest = async () =>
    (await dashboard.roost.api<{ versions: Version[] }>('GET', `/v1/agent/${agentId}/versions`)).body.versions[0];
  const instructions = (from: Page = page()) =>
    from.getByRole('region', { name: 'The agent' }).getByLabel('Instructions');
  const save = (from: Page = page()) => from.getByRole('button', { name: 'Save', exact: true });
  const saved = (version: number, from: Page = page()) => from.getByText(`This is version ${version}.`).waitFor();

  it('is a form of all that the API takes, of which only what was changed is sent', async () => {
    await dashboard.go(place());
    await instructions().fill('Be <b>brief</b>.');
    await page().getByText('All settings').click();
    // What a field is about, as the reference has it, and what its number comes to.
    await page().getByText('Longest turn, in seconds. 3,600 if not given.').waitFor();
    await page().getByLabel('Timeout seconds').fill('5400');
    await page().getByText('Now: 1 h 30 min.').waitFor();
    await page().getByRole('group', { name: 'Compaction' }).getByLabel('Instructions').fill('');
    await page().getByLabel('Note').fill('answers were long');
    await save().click();
    await saved(2);
    expect(await agent()).toMatchObject({
      ...{ version: 2, description: 'to be changed', system_prompt: 'Be <b>brief</b>.' },
      configuration: { timeout_seconds: 5_400, custom_env: { TOKEN: '***' } },
    });
    expect((await agent()).configuration['compaction']).toEqual({ threshold_trigger: 90_000 });
    const { note, changed } = (await newest()) ?? {};
    expect(note).toBe('answers were long');
    expect(changed).toEqual([
      ...['configuration.compaction.instructions', 'configuration.timeout_seconds', 'system_prompt'],
    ]);
  });

  it('shows what was refused at its field', async () => {
    await page().reload();
    await page().getByText('All settings').click();
    await page().getByRole('group', { name: 'Hook messages' }).getByLabel('Session end').fill('Save {{everything}}.');
    await page().getByText('All settings').click();
    await save().click();
    // It is opened again, and has the focus.
    const field = page().getByRole('group', { name: 'Hook messages' }).getByLabel('Session end');
    await page().getByText('{{everything}} is not a variable of this hook').first().waitFor();
    await expect.poll(() => field.getAttribute('aria-invalid')).toBe('true');
    expect(await field.evaluate((element) => element === element.ownerDocument.activeElement)).toBe(true);
    expect((await agent()).version).toBe(2);
  });

  it('asks before it is left unsaved', async () => {
    await page().getByRole('link', { name: 'Versions' }).click();
    await page().getByRole('button', { name: 'Stay' }).click();
    await expect.poll(() => dashboard.place).toBe(place());
    await page().getByRole('link', { name: 'every version' }).click();
    await page().getByRole('button', { name: 'Leave' }).click();
    await page().getByRole('list', { name: 'Versions' }).waitFor();
  });

  it('is the same as YAML, where secrets stay what they are', async () => {
    await dashboard.go(place());
    await page().getByRole('button', { name: 'YAML' }).click();
    const text = page().getByRole('textbox', { name: 'Agent as YAML' });
    await text.getByText('TOKEN: ').waitFor();
    expect(await page().content()).not.toContain('canary-41c9');
    // As a person does: what is emptied first keeps no style of what stood there.
    const write = async (lines: string[]) => {
      await text.press('Control+a');
      await text.press('Delete');
      await page().keyboard.insertText(lines.join('\n'));
    };
    await write(['name: [']);
    await page()
      .getByRole('status')
      .getByText(/Flow sequence/)
      .waitFor();
    await expect.poll(() => save().isDisabled()).toBe(true);
    const settings = [
      ...['name: by text', 'description: null', 'system_prompt: Be kind.', 'system_prompt_type: append'],
      ...['session_mode: ephemeral', 'pvc_size: 1Gi', 'warmth_window_ms: 300000', 'output_token_balance: 1000000'],
      ...['configuration:', '  timeout_seconds: 1', '  custom_env: { TOKEN: "***" }'],
    ];
    await write([...settings, '  colour: red']);
    await save().click();
    await page().getByRole('list', { name: 'Refused fields' }).getByText('colour').first().waitFor();
    await write(settings);
    await text.press('Control+s');
    await saved(3);
    expect(await agent()).toMatchObject({ name: 'by text', description: null, system_prompt: 'Be kind.' });
    expect((await agent()).configuration).toEqual({ timeout_seconds: 1, custom_env: { TOKEN: '***' } });
    expect((await newest())?.changed).not.toContain('configuration.custom_env.TOKEN');
  });

  it('sets keys of providers and takes them away, and shows none', async () => {
    await page().getByLabel('Key of OpenAI').fill('sk-canary-88d2');
    await save().click();
    await page().getByLabel('New key of OpenAI').waitFor();
    expect((await agent()).provider_keys_configured).toEqual(['openai']);
    expect(await page().content()).not.toContain('sk-canary-88d2');
    await expect.poll(() => page().getByLabel('New key of OpenAI').inputValue()).toBe('');
    await page().getByRole('button', { name: 'Take away the key of OpenAI' }).click();
    await save().click();
    await page().getByLabel('Key of OpenAI', { exact: true }).waitFor();
    expect((await agent()).provider_keys_configured).toEqual([]);
    // Each is a version, which says that there was a change, and holds no key.
    expect((await agent()).version).toBe(5);
    expect(JSON.stringify(await newest())).not.toContain('canary');
  });

  it('loses nothing of two who edit it at once', async () => {
    const other = await dashboard.context.newPage();
    for (const each of [page(), other]) {
      await each.goto(dashboard.roost.url + place());
      await each.getByLabel('Name', { exact: true }).waitFor();
    }
    await page().getByLabel('Description').fill('mine');
    await instructions().fill('Mine.');
    await instructions(other).fill('Theirs.');
    await other.getByLabel('Name', { exact: true }).fill('their name');
    await save(other).click();
    await saved(6, other);
    await other.getByLabel('Description').fill('lost');
    await save().click();
    const dialog = page().getByRole('dialog', { name: 'Somebody else has saved version 6 meanwhile' });
    await dialog.getByText('Both of you changed: system_prompt').waitFor();
    await dialog.getByRole('region', { name: 'After: name' }).getByText('their name').waitFor();
    expect(await agent()).toMatchObject({ version: 6, system_prompt: 'Theirs.' });
    await dialog.getByRole('button', { name: 'Save mine on top of theirs' }).click();
    await saved(7);
    expect(await agent()).toMatchObject({ name: 'their name', description: 'mine', system_prompt: 'Mine.' });
    // What was begun in the other one stays there until somebody says what is to become of it.
    await save(other).click();
    await other.getByRole('button', { name: 'Take theirs, and lose mine' }).click();
    await other.getByText('This is version 7.').waitFor();
    await expect.poll(() => other.getByLabel('Description').inputValue()).toBe('mine');
    await other.close();
  });

  it('is shown anew when it was changed elsewhere and nothing is lost by that', async () => {
    await update({ description: 'from elsewhere' });
    await saved(8);
    await expect.poll(() => page().getByLabel('Description').inputValue()).toBe('from elsewhere');
    expect(dashboard.complaints).toEqual([]);
  });
});
