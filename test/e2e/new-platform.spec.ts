import { apiClient, type ApiClient, ownedFolder, removeFolder, until } from '#lib/testing';
import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** The whole registration. */
const LINE = `example: { bot: BotToken, person: ['userId', 'username'] },`;

/** A Roost whose program is ours with one folder and one line more. */
const START = `
  import { startRoost } from '#lib/testing';
  const roost = await startRoost({ env: { EXAMPLE_API_BASE_URL: process.argv[2] } });
  console.log(JSON.stringify({ url: roost.url, apiKey: roost.apiKey }));
  process.stdin.resume().on('end', () => void roost.stop().then(() => process.exit(0)));
`;

describe('a new platform is a folder and a line', () => {
  const inbox: object[] = [];
  const shown = new Map<string, string>();
  let platform: Server;
  let folder: string;
  let child: ChildProcess;
  let api: ApiClient;

  beforeAll(async () => {
    platform = createServer((request, response) => {
      if (request.method === 'GET') return void response.end(JSON.stringify(inbox.splice(0)));
      void json(request).then((body) => {
        const { id, text } = body as { id: string; text: string };
        shown.set(id, text);
        response.end();
      });
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => platform.once('listening', resolve));
    const address = platform.address();
    const platformUrl = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;

    folder = ownedFolder();
    cpSync(join(root, 'dist'), join(folder, 'dist'), { recursive: true });
    cpSync(join(root, 'package.json'), join(folder, 'package.json'));
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    const channels = join(folder, 'dist/apps/channels');
    cpSync(join(channels, 'test/example-platform'), join(channels, 'src/example'), { recursive: true });
    const registry = join(folder, 'dist/libs/contracts/src/platforms.js');
    const before = readFileSync(registry, 'utf8');
    writeFileSync(registry, before.replace(/(export const PLATFORMS = \{\n)/, `$1${LINE}\n`));
    writeFileSync(join(folder, 'start.mjs'), START);

    child = spawn(process.execPath, ['start.mjs', platformUrl], { cwd: folder, stdio: ['pipe', 'pipe', 'inherit'] });
    let output = '';
    child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
    const ready = await until('this Roost is ready', () => /^\{"url".*\}$/m.exec(output)?.[0]);
    const { url, apiKey } = JSON.parse(ready) as { url: string; apiKey: string };
    api = apiClient(url, apiKey);
  });
  afterAll(async () => {
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.stdin?.end();
    await exited;
    platform.closeAllConnections();
    await new Promise((resolve) => platform.close(resolve));
    await removeFolder(folder);
  });

  it('has its bots, links, conversations and replies, and is in the API', async () => {
    const created = await api<{ id: string }>('POST', '/v1/agent/create', {
      name: 'Robin',
      example_bot_token: 'example-robin',
    });
    expect(created, JSON.stringify(created.body)).toMatchObject({
      status: 201,
      body: { example_bot_configured: true },
    });
    const agent = `/v1/agent/${created.body.id}`;
    const message = { content: 'anybody?', channel: 'example' };
    expect((await api('POST', `${agent}/messages`, message)).status).toBe(409);

    const { code } = (await api<{ code: string }>('POST', `${agent}/example/link`)).body;
    const say = (eventId: string, text: string) =>
      inbox.push({
        eventId,
        place: 'ann',
        isDirect: true,
        isAddressed: true,
        sender: { id: 'ann', username: 'ann', displayName: 'Ann' },
        text,
        files: [],
      });
    const isShown = (text: string) => until(`"${text}" is shown`, () => [...shown.values()].join().includes(text));
    say('1', `/link ${code}`);
    await isShown('You are talking to Robin');
    const { body } = await api('GET', `${agent}/example/status`);
    expect(body).toMatchObject({ linked: true, binding: { example_user_id: 'ann', example_username: 'ann' } });

    say('2', 'a message by the new platform');
    await isShown('a message by the new platform');
    await api('POST', `${agent}/messages`, { ...message, content: 'by the API' });
    await isShown('by the API');
    const { body: list } = await api<{ channels: { type: string; health: string }[] }>('GET', `${agent}/channels`);
    expect(list.channels).toContainEqual(expect.objectContaining({ type: 'example', health: 'connected' }));
    const document = JSON.stringify((await api('GET', '/openapi.json')).body);
    expect(document).toContain('example_bot_token');
  });
});
