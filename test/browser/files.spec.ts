import { until } from '#lib/testing';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Dashboard } from './open-dashboard.js';

/** By pages of 1,000. `npm run bench -- dashboard` scrolls through 100,000. */
const MANY = 20_000;

describe('the files of an agent', () => {
  let dashboard: Dashboard;
  let agentId: string;

  beforeAll(async () => {
    dashboard = await Dashboard.open();
    agentId = await dashboard.agent('keeper', { initial_files: [{ path: 'notes/todo.md', content: '# To do\n' }] });
  });
  afterAll(async () => dashboard?.close());

  const tree = () => dashboard.page.getByRole('tree', { name: 'Files' });
  const item = (name: string | RegExp) => tree().getByRole('treeitem', { name });
  const editor = () => dashboard.page.getByRole('textbox', { name: /^Text of/ });
  const files = () => `/v1/agent/${agentId}/filesystem/files`;
  const contentOf = async (path: string) =>
    (await dashboard.roost.api<{ content: string }>('GET', `${files()}/${path}`)).body.content;
  const writeElsewhere = (path: string, content: string) =>
    dashboard.roost.api('POST', `${files()}/${path}`, { content, overwrite: true });
  const type = async (text: string) => {
    await editor().click();
    await dashboard.page.keyboard.press('Control+End');
    await dashboard.page.keyboard.insertText(text);
  };

  const toTheEnd = (last: string) =>
    until('the end is reached', async () => {
      await dashboard.page.keyboard.press('End');
      return (await item(last).count()) > 0;
    });

  it('are found by keyboard in the tree, edited and saved', async () => {
    const { page } = dashboard;
    await dashboard.go(`/agents/${agentId}/files`);
    await item('notes').waitFor();
    await tree().focus();
    for (const key of ['ArrowDown', 'ArrowRight']) await page.keyboard.press(key);
    await item('todo.md').waitFor();
    for (const key of ['j', 'Enter']) await page.keyboard.press(key);
    await editor().waitFor();
    await expect.poll(() => dashboard.place).toBe(`/agents/${agentId}/files?path=notes%2Ftodo.md`);
    await type('- buy milk\n');
    await page.keyboard.press('Control+s');
    await page.getByText('notes/todo.md is saved.').waitFor();
    expect(await contentOf('notes/todo.md')).toBe('# To do\n- buy milk\n');
  });

  it('show at once what the agent wrote, and never lose what somebody types meanwhile', async () => {
    const { page } = dashboard;
    await dashboard.say(agentId, 'run: echo "- call home" >> notes/todo.md');
    await editor().getByText('call home').waitFor();
    await type('- mine\n');
    await writeElsewhere('notes/todo.md', '# Theirs\n');
    await page.keyboard.press('Control+s');
    const dialog = page.getByRole('dialog', { name: 'The file was changed meanwhile' });
    await dialog.getByText('# Theirs').waitFor();
    expect(await contentOf('notes/todo.md')).toBe('# Theirs\n');
    await dialog.getByRole('button', { name: 'Go on editing' }).click();
    await editor().getByText('- mine').waitFor();
    await page.keyboard.press('Control+s');
    await dialog.getByRole('button', { name: 'Overwrite it' }).click();
    await expect.poll(() => contentOf('notes/todo.md')).toMatch(/^# To do\n.*- mine\n$/s);
  });

  it('take what is there in place of one’s own changes, and ask before these are left', async () => {
    const { page } = dashboard;
    await type('- unsaved\n');
    await page.getByRole('link', { name: 'Runs' }).click();
    const leave = page.getByRole('dialog', { name: 'Leave without saving?' });
    await leave.getByRole('button', { name: 'Stay' }).click();
    await writeElsewhere('notes/todo.md', '# Newest\n');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('button', { name: 'Drop my changes' }).click();
    await editor().getByText('# Newest').waitFor();
    await expect.poll(() => editor().getByText('unsaved').count()).toBe(0);
  });

  it('keep a menu open that was opened before the text came', async () => {
    const { page } = dashboard;
    const show = await dashboard.hold(new RegExp(`${files()}/notes/todo\\.md`));
    await page.reload();
    await page.getByRole('button', { name: 'More for todo.md' }).click();
    await page.getByRole('menuitem', { name: /Delete/ }).waitFor();
    show();
    await page.getByText('# Newest').waitFor();
    await expect.poll(() => page.getByRole('menuitem', { name: /Delete/ }).count()).toBe(1);
    await page.keyboard.press('Escape');
  });

  it('are made, renamed, searched and deleted', async () => {
    const { page } = dashboard;
    await page.getByRole('button', { name: 'New file' }).click();
    await page.getByLabel('Path').fill('src/deep/main.py');
    await page.getByRole('button', { name: 'Make the file' }).click();
    await item('main.py').waitFor();
    await type('print("needle")');
    await page.keyboard.press('Control+s');
    await page.getByText('src/deep/main.py is saved.').waitFor();
    await page.getByRole('searchbox', { name: 'Search in files' }).fill('needle');
    await page.getByRole('link', { name: /src\/deep\/main\.py.*1 print\("needle"\)/ }).waitFor();
    await page.getByRole('searchbox', { name: 'Search in files' }).fill('');
    await page.getByRole('button', { name: 'More for main.py' }).click();
    await page.getByRole('menuitem', { name: /Rename/ }).click();
    await page.getByLabel('Path').fill('src/app.py');
    await page.getByRole('button', { name: 'Rename' }).click();
    await item('app.py').waitFor();
    await until('the address follows', () => dashboard.place.endsWith('path=src%2Fapp.py'));
    await page.getByRole('button', { name: 'More for app.py' }).click();
    await page.getByRole('menuitem', { name: /Delete/ }).click();
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    await item('app.py').waitFor({ state: 'detached' });
    expect((await dashboard.roost.api('GET', `${files()}/src/app.py`)).status).toBe(404);
  });

  it('are uploaded by button and by drop, never in place of others unasked, and downloaded again', async () => {
    const { page } = dashboard;
    const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, n) => n % 251));
    const upload = { name: 'data.bin', mimeType: 'application/octet-stream', buffer: bytes };
    await page.getByLabel('Files to upload').setInputFiles(upload);
    await page.getByText('1 of 1 uploaded').waitFor();
    await page.getByLabel('Files to upload').setInputFiles({ ...upload, buffer: Buffer.from('other') });
    await page.getByText('There is a file of this name.').waitFor();
    await item('data.bin').click();
    await page.getByText('This is no text').waitFor();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: /^Download/ }).click(),
    ]);
    expect((await buffer(await download.createReadStream())).equals(bytes)).toBe(true);
    await page.getByRole('button', { name: 'Replace it' }).click();
    await page.getByText('2 of 2 uploaded').waitFor();
    expect(await contentOf('data.bin')).toBe('other');
    const dropped = await page.evaluateHandle(`(() => {
      const data = new DataTransfer();
      data.items.add(new File(['dropped'], 'dropped.txt'));
      return data;
    })()`);
    await item('notes').dispatchEvent('dragover', { dataTransfer: dropped });
    await item('notes').dispatchEvent('drop', { dataTransfer: dropped });
    await item('dropped.txt').waitFor();
    expect(await contentOf('notes/dropped.txt')).toBe('dropped');
  });

  it('are saved where they are dragged to, directories as archives', async () => {
    const { page, roost } = dashboard;
    const name = 'déjà vu: 1 %.txt';
    await roost.api('POST', `/v1/agent/${agentId}/filesystem/files/${encodeURIComponent(name)}`, { content: 'seen' });
    await dashboard.go(`/agents/${agentId}/files`);
    const draggedOut = async (row: string) => {
      const data = await page.evaluateHandle('new DataTransfer()');
      await item(row).dispatchEvent('dragstart', { dataTransfer: data });
      const dragged = await data.evaluate((given: { getData: (type: string) => string }) =>
        given.getData('DownloadURL'),
      );
      const [type, file = '', ...address] = dragged.split(':');
      expect(type).toBe('application/octet-stream');
      // As the browser fetches it, by the session alone.
      const answer = await page.context().request.get(address.join(':'), { headers: { accept: '*/*' } });
      return { file, answer };
    };
    const { file, answer } = await draggedOut(name);
    expect(file).toBe('déjà vu_ 1 %.txt');
    expect(await answer.text()).toBe('seen');
    expect(answer.headers()['content-disposition']).toBe(
      `attachment; filename="d_j__vu__1__.txt"; filename*=UTF-8''d%C3%A9j%C3%A0%20vu%3A%201%20%25.txt`,
    );
    const packed = await draggedOut('notes');
    expect(packed.file).toBe('notes.zip');
    expect((await packed.answer.body()).subarray(0, 2).toString()).toBe('PK');
  });

  it('have names and texts that do nothing, and show what is hidden in them', async () => {
    const { page } = dashboard;
    const names = ['<img src=x onerror="hacked=1">.txt', 'report\\u202egpj.exe', 'two\\nlines'];
    await dashboard.say(
      agentId,
      `run: mkdir odd; cd odd; for n in ${names.map((name) => `$'${name}'`).join(' ')}; do echo x > "$n"; done`,
    );
    await dashboard.go(`/agents/${agentId}/files?path=odd/none`);
    await item('<img src=x onerror="hacked=1">.txt').click();
    await editor().waitFor();
    await item('report[U+202E]gpj.exe').click();
    await page.getByRole('heading', { name: 'odd/report[U+202E]gpj.exe' }).waitFor();
    // The API writes it so, and takes it so.
    await item('two\\x0alines').click();
    await page.getByRole('heading', { name: 'odd/two\\x0alines' }).waitFor();
    await editor().getByText('x', { exact: true }).waitFor();
    expect(await page.evaluate("'hacked' in window")).toBe(false);
  });

  it('are loaded page by page where a directory has many', async () => {
    await dashboard.say(agentId, 'run: mkdir several && cd several && seq -f "f%06g" 2500 | xargs touch');
    await dashboard.go(`/agents/${agentId}/files`);
    await item('several').click();
    await item('f000001').waitFor();
    await toTheEnd('f002500');
  });

  it(`are ${MANY.toLocaleString('en')} in one directory, of which only those that are seen are in the page`, async () => {
    const { page } = dashboard;
    // Pages as Roost gives them, which would take minutes to make for real: it is the scrolling that is looked at.
    await page.route('**/directories/several?*', (route) => {
      const from = Number(new URL(route.request().url()).searchParams.get('cursor') ?? 0);
      const entries = Array.from({ length: 1_000 }, (_, n) => ({
        ...{ name: `f${String(from + n + 1).padStart(6, '0')}`, type: 'file', size: n },
        modified_at: '2026-01-01T00:00:00.000Z',
      }));
      const next = from + 1_000 < MANY ? String(from + 1_000) : null;
      return route.fulfill({ json: { path: '/workspace/several', entries, next_cursor: next } });
    });
    await page.reload();
    await item('several').click();
    await item('f000001').waitFor();
    await toTheEnd(`f${String(MANY).padStart(6, '0')}`);
    await expect.poll(() => tree().getByRole('treeitem').count()).toBeLessThan(120);
  });

  it('have broken no rule of the page’s policy', () => expect(dashboard.complaints).toEqual([]));
});
