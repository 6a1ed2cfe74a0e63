import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Dashboard } from './open-dashboard.js';

interface Sent {
  content: string;
  metadata: { files: { path: string; size: number }[] };
  role: string;
}

describe('files for a message', () => {
  let dashboard: Dashboard;
  let agentId: string;

  beforeAll(async () => {
    dashboard = await Dashboard.open();
    agentId = await dashboard.agent('reader');
    await dashboard.go(`/agents/${agentId}/chat`);
  });
  afterAll(async () => dashboard?.close());

  const page = () => dashboard.page;
  const waiting = () => page().getByRole('list', { name: 'Files for the message' }).getByRole('listitem');
  const attach = (...files: { name: string; mimeType: string; buffer: Buffer }[]) =>
    page().getByLabel('Files to attach').setInputFiles(files);
  const textFile = (name: string, text: string) => ({ name, mimeType: 'text/plain', buffer: Buffer.from(text) });
  const send = () => page().getByRole('button', { name: 'Send', exact: true });
  const newest = async () => {
    const { body } = await dashboard.roost.api<{ messages: Sent[] }>('GET', `/v1/agent/${agentId}/messages`);
    return body.messages.findLast(({ role }) => role === 'user');
  };

  it('go to the agent’s workspace, and are named to it', async () => {
    await attach(textFile('plan.txt', 'one\n'), textFile('evil\u202etxt.exe', 'two'));
    await waiting().filter({ hasText: 'evil[U+202E]txt.exe' }).waitFor();
    await page().getByText('Up to 1.0 GiB each').waitFor();
    await page()
      .getByRole('textbox', { name: /^Message to/ })
      .fill('what is in these?');
    await page().locator('button[aria-label=Send]:enabled').click();
    const shown = page().getByRole('list', { name: 'Files of the message' });
    await shown.getByText(/plan\.txt/).waitFor();
    await shown.getByText(/evil_txt\.exe/).waitFor();
    const { content, metadata } = (await newest()) ?? {};
    const [plan] = metadata?.files ?? [];
    expect(plan?.path).toMatch(/^inbox\/\d{4}-\d\d-\d\d\/[0-9a-f]{8}-plan\.txt$/);
    expect(content).toContain(`what is in these?\n\nFiles that came with this message:\n- ${plan?.path} (4 bytes)\n`);
    const { body } = await dashboard.roost.api<{ content: string }>(
      'GET',
      `/v1/agent/${agentId}/filesystem/files/${plan?.path}`,
    );
    expect(body.content).toBe('one\n');
    // The list in the text is for the model: people have it once.
    const message = page().getByRole('article', { name: 'Message', exact: true });
    await expect.poll(() => message.getByText('Files that came with this message').count()).toBe(0);
    await shown.getByText(/plan\.txt/).click();
    await page()
      .getByRole('textbox', { name: /^Text of inbox/ })
      .getByText('one')
      .waitFor();
  });

  it('are pasted and dropped as well, and taken back', async () => {
    await dashboard.go(`/agents/${agentId}/chat`);
    await page()
      .getByRole('textbox', { name: /^Message to/ })
      .waitFor();
    await page().evaluate(`(() => {
      const field = document.querySelector('textarea');
      const [pasted, dropped] = [new DataTransfer(), new DataTransfer()];
      pasted.items.add(new File(['pasted'], 'pasted.png', { type: 'image/png' }));
      dropped.items.add(new File(['dropped'], 'dropped.txt'));
      field.dispatchEvent(new ClipboardEvent('paste', { clipboardData: pasted, bubbles: true, cancelable: true }));
      field.dispatchEvent(new DragEvent('drop', { dataTransfer: dropped, bubbles: true, cancelable: true }));
    })()`);
    await page().getByRole('button', { name: 'Remove pasted.png' }).click();
    await page().getByRole('button', { name: 'Remove dropped.txt' }).click();
    await expect.poll(() => waiting().count()).toBe(0);
    await expect.poll(() => send().isDisabled()).toBe(true);
  });

  it('hold a message back that they are not all there for', async () => {
    const blocked = await dashboard.agent('blocked');
    await dashboard.roost.api('POST', `/v1/agent/${blocked}/filesystem/files/inbox`, { content: 'no directory' });
    await dashboard.go(`/agents/${blocked}/chat`);
    await attach(textFile('late.txt', 'x'));
    await waiting()
      .getByText(/directory/i)
      .waitFor();
    await page()
      .getByRole('textbox', { name: /^Message to/ })
      .fill('see the file');
    await expect.poll(() => send().isDisabled()).toBe(true);
    await page().getByRole('button', { name: 'Remove late.txt' }).click();
    expect(await send().isEnabled()).toBe(true);
    expect(dashboard.complaints).toEqual([]);
  });
});
