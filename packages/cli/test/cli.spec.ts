import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startRoost, temporaryFolder, type TestRoost, until } from '#lib/testing';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeLocalProfile } from '../../../tools/launcher/local-profile.js';

const program = fileURLToPath(new URL('../../../dist/packages/cli/index.js', import.meta.url));
const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}
interface Running {
  stdout(): string;
  stderr(): string;
  write(text: string): void;
  end(): void;
  interrupt(): void;
  ended: Promise<Ended>;
}

describe('the command line', () => {
  let server: TestRoost;
  let folder = '';
  let home = '';
  beforeAll(async () => {
    server = await startRoost();
    folder = temporaryFolder();
    home = temporaryFolder();
    mkdirSync(join(folder, '.roost', 'below'), { recursive: true });
    writeLocalProfile(join(folder, '.roost'), server);
  });
  afterAll(() => server?.stop());

  const start = (args: string[], options: { env?: Record<string, string>; cwd?: string } = {}): Running => {
    const { PATH = '', TMPDIR } = process.env;
    const child = spawn(process.execPath, [program, ...args], {
      cwd: options.cwd ?? join(folder, '.roost', 'below'),
      env: { PATH, TMPDIR, HOME: home, ...options.env },
      stdio: 'pipe',
    });
    const said = { stdout: '', stderr: '' };
    child.stdout.on('data', (chunk) => (said.stdout += String(chunk)));
    child.stderr.on('data', (chunk) => (said.stderr += String(chunk)));
    return {
      stdout: () => said.stdout,
      stderr: () => said.stderr,
      write: (text) => child.stdin.write(text),
      end: () => void child.stdin.end(),
      interrupt: () => child.kill('SIGINT'),
      // As a shell has it, where the second Ctrl-C comes while it ends by the first.
      ended: new Promise((resolve) =>
        child.once('close', (code, signal) => resolve({ code: signal === 'SIGINT' ? 130 : code, ...said })),
      ),
    };
  };
  const roost = (args: string[], { stdin = '', ...options }: Parameters<typeof start>[1] & { stdin?: string } = {}) => {
    const running = start(args, options);
    running.write(stdin);
    running.end();
    return running.ended;
  };
  const json = async <T>(...args: string[]): Promise<T> => {
    const { code, stdout, stderr } = await roost([...args, '--json']);
    expect(code, stderr).toBe(0);
    return JSON.parse(stdout) as T;
  };

  it('talks at once to the Roost of this machine: no key is copied, a first agent is made', async () => {
    const { code, stdout, stderr } = await roost(['chat'], { stdin: 'write hello to notes.txt\n\nread notes.txt\n' });
    expect(stderr).toContain('Made an agent called "assistant"');
    expect(stdout).toMatch(/→ write_file/);
    expect(stdout).toMatch(/hello/);
    expect(code).toBe(0);
    const again = await roost(['chat', '--json'], { stdin: 'list files\n' });
    const types = again.stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { type: string }).type);
    expect([types[0], types.at(-1)]).toEqual(['message.created', 'message.completed']);
  });

  it('makes, shows and changes agents', async () => {
    const { id } = await json<{ id: string }>('agents', 'create', 'triager', '--model', 'demo', '--prompt', 'be short');
    const shown = await json<{ system_prompt: string; configuration: { model: string } }>('agents', 'get', 'triager');
    expect(shown).toMatchObject({ system_prompt: 'be short', configuration: { model: 'demo' } });
    await json('agents', 'update', 'triager', '--name', 'sorter', '--prompt', 'be kind');
    const changed = await json<object>('agents', 'update', 'sorter', '--name', 'triager');
    expect(changed).toMatchObject({ id, system_prompt: 'be kind', configuration: { model: 'demo' } });
    expect((await roost(['agents', 'stop', 'triager'])).stdout).toBe('triager is stopped\n');
    const refused = await roost(['send', 'triager', 'hello']);
    expect(refused).toMatchObject({
      code: 6,
      stderr: expect.stringMatching(/^roost: .*\(request req_[\w-]+\)\n$/) as string,
    });
    expect((await roost(['agents', 'start', id])).stdout).toBe(`${id} is active\n`);
    const { stdout } = await roost(['agents', 'list']);
    expect(stdout).toMatch(/^ID +STATUS +MESSAGES +CHANGED +NAME\n/);
    expect(stdout).toMatch(new RegExp(`${id} +active .*triager`));
    expect(await roost(['chat'], { stdin: 'x' })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('assistant') as string,
    });
    expect(await roost(['agents', 'delete', 'triager'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--yes') as string,
    });
    expect((await roost(['agents', 'delete', 'triager', '--yes'])).stdout).toBe(`${id} is deleted\n`);
    expect(await roost(['agents', 'get', 'triager'])).toMatchObject({ code: 3, stdout: '' });
  });

  it('sends a message from the line or from stdin, and waits for the answer or not', async () => {
    expect((await roost(['send', 'assistant', 'read', 'notes.txt'])).stdout).toContain('hello');
    expect((await roost(['send', 'assistant'], { stdin: 'read notes.txt' })).stdout).toContain('hello');
    expect((await roost(['send', 'assistant', '--no-wait', 'list files'])).stdout).toMatch(/^msg_[\w-]+\n$/);
    expect(await roost(['send', 'assistant'], { stdin: ' ' })).toMatchObject({ code: 2 });
    const answer = await json<{ text: string; replies: unknown[] }>('send', 'assistant', 'list files');
    expect(answer).toMatchObject({
      text: expect.stringContaining('notes.txt') as string,
      replies: [expect.anything()],
    });
  });

  it('takes Ctrl-C for the answer first, whose run it cancels; then for the chat', async () => {
    const chat = start(['chat', 'assistant']);
    chat.write('run: sleep 60\n');
    await until('it works', () => chat.stdout().includes('→ bash'));
    chat.interrupt();
    await until('its run is cancelled', async () => {
      const [newest] = await json<{ status: string }[]>('runs', 'assistant');
      return newest?.status === 'cancelled';
    });
    chat.write('list files\n');
    await until('the next one is answered', () => chat.stdout().includes('notes.txt'));
    // As long as it writes, Ctrl-C only ends that.
    const state: { ended?: Ended } = {};
    void chat.ended.then((ended) => (state.ended = ended));
    const { code } = await until('it ends', () => {
      chat.interrupt();
      return state.ended ?? false;
    });
    expect(code).toBe(130);
  });

  it('copies, lists, prints and edits files', async () => {
    const here = temporaryFolder();
    writeFileSync(join(here, 'a b.bin'), Buffer.from([0, 27, 255, 10]));
    const cp = (from: string, to: string) => roost(['files', 'cp', from, to], { cwd: here, env: reached() });
    expect(await cp('a b.bin', 'assistant:deep/')).toMatchObject({ code: 0 });
    expect(await cp('assistant:deep/a b.bin', 'back.bin')).toMatchObject({ code: 0 });
    expect([...readFileSync(join(here, 'back.bin'))]).toEqual([0, 27, 255, 10]);
    expect((await roost(['files', 'cat', 'assistant:notes.txt'])).stdout).toBe('hello');
    expect((await json<{ name: string }[]>('files', 'ls', 'assistant')).map(({ name }) => name)).toContain('deep');
    expect((await roost(['files', 'ls', 'assistant:deep'])).stdout).toContain('a b.bin');
    expect(await roost(['files', 'cp', '-', 'assistant:from-stdin.txt'], { stdin: 'piped' })).toMatchObject({
      code: 0,
    });
    expect((await roost(['files', 'cp', 'assistant:from-stdin.txt', '-'])).stdout).toBe('piped');
    expect(await cp('a b.bin', 'c.bin')).toMatchObject({ code: 2 });
    expect(await cp('missing', 'assistant:')).toMatchObject({ code: 2 });
    expect(await roost(['files', 'cat', 'assistant:missing'])).toMatchObject({ code: 3 });
    const editor = join(here, 'editor.sh');
    writeFileSync(editor, '#!/bin/sh\nprintf edited > "$1"\n', { mode: 0o755 });
    expect(await roost(['files', 'edit', 'assistant:notes.txt'], { env: { EDITOR: editor } })).toMatchObject({
      code: 0,
    });
    expect((await roost(['files', 'cat', 'assistant:notes.txt'])).stdout).toBe('edited');
    expect((await roost(['files', 'edit', 'assistant:notes.txt'], { env: { EDITOR: 'true' } })).stderr).toContain(
      'Nothing',
    );
  });

  it('never lets an agent write to the terminal but as text', async () => {
    const evil = 'a\u001B]0;title\u0007b\u001B[2Jc\u009B31md\u202Ee\rf';
    await roost(['files', 'cp', '-', 'assistant:evil.txt'], { stdin: evil });
    const outputs = await Promise.all([
      roost(['send', 'assistant', 'read evil.txt']),
      roost(['chat', 'assistant'], { stdin: 'read evil.txt\n' }),
      roost(['send', 'assistant', 'read evil.txt', '--json']),
      roost(['logs', 'assistant', '--deltas']),
      roost(['logs', 'assistant', '--json']),
    ]);
    for (const { code, stdout, stderr } of outputs) {
      expect(code, stderr).toBe(0);
      expect(stdout).toMatch(/a.*b.*c/s);
      expect(stdout).not.toMatch(/[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u202A-\u202E]/); // oxlint-disable-line no-control-regex
    }
    // A program gets the bytes as they are.
    expect((await roost(['files', 'cat', 'assistant:evil.txt'])).stdout).toBe(evil);
  });

  it('keeps schedules, triggers and channels', async () => {
    const { id } = await json<{ id: string }>('schedules', 'create', 'assistant', '@yearly', 'list files');
    expect((await roost(['schedules', 'disable', 'assistant', id])).stdout).toContain('disabled');
    expect((await roost(['schedules', 'run', 'assistant', id])).code).toBe(0);
    expect((await roost(['schedules', 'list', 'assistant'])).stdout).toContain('@yearly');
    expect((await json<unknown[]>('schedules', 'history', 'assistant', id)).length).toBe(1);
    expect((await roost(['schedules', 'delete', 'assistant', id])).code).toBe(0);
    const trigger = await json<{ id: string; webhook_secret: string }>(
      'triggers',
      'create',
      'assistant',
      't',
      'write {{payload.x}} to t.txt',
    );
    const fire = ['triggers', 'test', 'assistant', trigger.id, '--payload', '{"x":12345678901234567890}'];
    expect(await roost(fire)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('ROOST_TRIGGER_SECRET') as string,
    });
    expect((await roost(fire, { env: { ROOST_TRIGGER_SECRET: trigger.webhook_secret } })).stdout).toContain(
      '> write 12345678901234567890 to t.txt',
    );
    expect(await roost([...fire, '--secret', 'whs_wrong'])).toMatchObject({ code: 4 });
    expect((await roost(['triggers', 'history', 'assistant', trigger.id])).stdout).toMatch(/\ncompleted +.* msg_/);
    expect((await roost(['triggers', 'delete', 'assistant', trigger.id])).stdout).toBe('deleted\n');
    expect(await json<unknown[]>('triggers', 'list', 'assistant')).toEqual([]);
    expect(await roost(['channels', 'link', 'assistant', 'telegram'])).toMatchObject({ code: 1 });
    expect((await roost(['channels', 'list', 'assistant'])).stdout).toContain('CHANNEL');
  });

  it('forwards events to a program on this machine, signed as webhooks are', async () => {
    const received: { headers: Record<string, string>; body: string }[] = [];
    const receiver = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => (body += String(chunk)));
      request.on('end', () => {
        received.push({ headers: request.headers as Record<string, string>, body });
        response.writeHead(204).end();
      });
    });
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
    const listening = start(['webhooks', 'listen', '--forward', url, '--events', 'message.completed']);
    const secret = await until('it listens', () => /^Secret {2}(whsec_\S+)$/m.exec(listening.stdout())?.[1] ?? false);
    // The stream may begin a moment later than it is said to.
    await until('an event came', async () => {
      await roost(['send', 'assistant', 'list files']);
      return received.length > 0;
    });
    const [{ headers, body } = { headers: {}, body: '' }] = received;
    expect(new Webhook(secret).verify(body, headers)).toMatchObject({
      type: 'message.completed',
      data: { message: { content: 'list files' }, reply: { content: expect.stringContaining('notes.txt') as string } },
    });
    await until('it says so', () => listening.stdout().includes('message.completed  204'));
    listening.interrupt();
    await listening.ended;
    receiver.close();
    receiver.closeAllConnections();
    expect(await roost(['webhooks', 'listen', '--forward', 'ftp://x'])).toMatchObject({ code: 2 });
  });

  it('follows what happens, and prints what has', async () => {
    const following = start(['logs', '-f', '--json']);
    await until('an event came', async () => {
      await roost(['send', 'assistant', 'list files']);
      return following.stdout().includes('message.completed');
    });
    following.interrupt();
    await following.ended;
    const { stdout } = await roost(['logs', 'assistant']);
    expect(stdout).toMatch(/^message\.created {2}api {2}/m);
    expect(stdout).toMatch(/^tool\.call|^message\.completed/m);
  });

  it('shows what an agent did, step by step', async () => {
    await roost(['send', 'assistant', 'read notes.txt']);
    const [newest] = await json<{ id: string; status: string }[]>('runs', 'assistant', '--limit', '1');
    expect(newest).toMatchObject({ status: 'completed' });
    expect((await roost(['runs', 'assistant', '--status', 'completed'])).stdout).toContain(newest?.id);
    const { stdout } = await roost(['trace', 'assistant']);
    expect(stdout).toContain(newest?.id);
    expect(stdout).toMatch(/^> read notes\.txt {2}\(api\)$/m);
    expect(stdout).toMatch(/^\+\d+ ms +█+.*read_file/m);
    const named = await json<{ steps: unknown[] }>('trace', 'assistant', newest?.id ?? '');
    expect(named.steps.length).toBeGreaterThan(1);
    expect((await roost(['trace', 'assistant', newest?.id.replace(/.$/, 'z') ?? ''])).code).toBe(3);
    const followed = await roost(['trace', 'assistant', '--follow', '--json']);
    const events = followed.stdout.trim().split('\n');
    expect(JSON.parse(events.at(-1) ?? '')).toMatchObject({ type: 'run.ended', data: { id: newest?.id } });
    expect((await roost(['trace', 'assistant', '-f'])).stdout).toContain('read_file');
  });

  it('signs in, keeps the key to its owner alone, and forgets it', async () => {
    const env = { XDG_CONFIG_HOME: join(temporaryFolder(), 'config') };
    const elsewhere = { env, cwd: temporaryFolder() };
    const file = join(env.XDG_CONFIG_HOME, 'roost', 'config.json');
    const wrong = await roost(['login', '--url', server.url], { ...elsewhere, stdin: 'roost_sk_wrong' });
    expect(wrong).toMatchObject({ code: 4 });
    expect(existsSync(file)).toBe(false);
    const args = ['login', '--url', server.url, '--profile', 'work'];
    expect(await roost(args, { ...elsewhere, stdin: `${server.apiKey}\n` })).toMatchObject({ code: 0 });
    expect((statSync(file).mode & 0o777).toString(8)).toBe('600');
    expect((await roost(['agents', 'list'], elsewhere)).stdout).toContain('assistant');
    expect((await roost(['agents', 'list', '--profile', 'other'], elsewhere)).stderr).toContain('there are: work');
    expect((await roost(['logout'], elsewhere)).code).toBe(0);
    expect(await roost(['agents', 'list'], elsewhere)).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('roost login') as string,
    });
  });

  it('trusts no profile that others could have written', async () => {
    const shared = temporaryFolder();
    mkdirSync(join(shared, '.roost'));
    const content = JSON.stringify({ url: 'http://127.0.0.1:9', api_key: 'x' });
    writeFileSync(join(shared, '.roost', 'profile.json'), content, { mode: 0o644 });
    const env = { XDG_CONFIG_HOME: temporaryFolder() };
    expect((await roost(['agents', 'list'], { cwd: shared, env })).stderr).not.toContain('127.0.0.1:9');
  });

  it('checks what a Roost needs', async () => {
    const findings = await json<{ check: string; state: string; remedy?: string }[]>('doctor');
    const by = Object.fromEntries(findings.map(({ check, state }) => [check, state]));
    expect(by).toMatchObject({ node: 'ok', api: 'ok', services: 'ok', key: 'ok', model: 'warn' });
    const away = await roost(['doctor'], { env: { ROOST_URL: 'http://127.0.0.1:9', ROOST_API_KEY: 'x' }, cwd: home });
    expect(away).toMatchObject({ code: 1, stdout: expect.stringMatching(/✗ api .*\n {2}→ /) as string });
    expect((await json<{ quotas: unknown[] }>('usage', '--quotas')).quotas.length).toBeGreaterThan(5);
  });

  it('shows tokens and cost, by what one likes', async () => {
    await roost(['send', 'assistant', 'list files']);
    expect((await json<{ rows: unknown[] }>('usage')).rows).toHaveLength(1);
    expect((await roost(['usage', '--by', 'model'])).stdout).toMatch(/^INPUT +OUTPUT +COST +MODEL\n\d+ +\d+ .*demo/);
  });

  it('caps what agents may use', async () => {
    interface Shown {
      id: string;
      agent_id: string | null;
      limit_usd: string | null;
      limit_tokens: number | null;
      timezone: string;
    }
    const set = ['budgets', 'set', '--agent', 'assistant', '--per', 'day'];
    const money = await json<Shown>(...set, '--usd', '1', '--timezone', 'Europe/Berlin');
    expect(money.agent_id).not.toBeNull();
    const raised = await json<Shown>(...set, '--usd', '2.50');
    expect(raised).toMatchObject({ id: money.id, limit_usd: '2.5', timezone: 'Europe/Berlin' });
    const tokens = await json<Shown>('budgets', 'set', '--tokens', '1000000', '--per', 'month');
    expect(tokens).toMatchObject({ agent_id: null, limit_tokens: 1_000_000 });
    const { stdout } = await roost(['budgets', 'list', '--agent', 'assistant']);
    expect(stdout).toMatch(/^ID +USED +PER +BEGINS ANEW +OF\n/);
    expect(stdout).toMatch(/\$0 of \$2\.5 +day, Europe\/Berlin +in \d+/);
    expect(stdout).toMatch(/\d+ of 1000000 tokens +month, UTC +in .* all agents/);
    expect(stdout).toMatch(/day, Europe\/Berlin .* assistant$/m);
    expect(await roost(set)).toMatchObject({ code: 2, stderr: 'roost: say either --usd or --tokens\n' });
    expect(await roost([...set, '--usd', 'much'])).toMatchObject({ code: 2 });
    for (const { id } of [money, tokens]) expect((await roost(['budgets', 'delete', id])).stdout).toBe('deleted\n');
    expect(await json<unknown[]>('budgets', 'list')).toEqual([]);
    expect(await roost(['budgets', 'delete', money.id])).toMatchObject({ code: 3 });
  });

  it('keeps secrets, and says which agent may use which', async () => {
    const set = ['vault', 'set', 'forge', '--host', 'forge.example.com', '--user', 'ada'];
    expect(await roost(set, { stdin: 'the-first-password\n' })).toMatchObject({
      stdout: 'forge: basic, for forge.example.com\n',
    });
    expect(await roost(set, { stdin: 'short' })).toMatchObject({
      code: 2,
      stderr: expect.not.stringContaining('short\n'),
    });
    await roost([...set, '--path', '/acme,/other'], { stdin: 'the-second-password' });
    await roost(['vault', 'set', 'forge', '--keep', '--method', 'GET']);
    expect(await json<object[]>('vault', 'list')).toMatchObject([
      { name: 'forge', path_prefixes: ['/acme', '/other'], methods: ['GET'], settings: { username: 'ada' } },
    ]);
    expect((await roost(['vault', 'grant', 'forge', 'assistant', '--env', 'FORGE_PASSWORD'])).stdout).toBe('granted\n');
    expect((await roost(['vault', 'ask', 'forge', 'assistant'])).stdout).toBe('asks first\n');
    expect((await roost(['vault', 'grants', 'assistant'])).stdout).toMatch(
      /^forge +FORGE_PASSWORD +yes +never +never$/m,
    );
    expect((await roost(['vault', 'list'])).stdout).toMatch(/^forge +basic +forge.example.com +1 +never/m);
    expect((await roost(['vault', 'revoke', 'forge', 'assistant'])).stdout).toBe('revoked\n');
    expect(await roost(['vault', 'revoke', 'forge', 'assistant'])).toMatchObject({ code: 3 });
    expect((await roost(['vault', 'delete', 'forge'])).stdout).toBe('deleted\n');
    expect(await roost(['vault', 'delete', 'forge'])).toMatchObject({ code: 3 });
    expect(await roost(['vault', 'set', 'forge'], { stdin: 'a-password' })).toMatchObject({ code: 2 });
  });

  it('says what a message waits for', async () => {
    const { id } = await json<{ id: string }>('agents', 'create', 'sleepy');
    await roost(['agents', 'pause', 'sleepy']);
    const waiting = start(['send', 'sleepy', 'list files']);
    await until('it says so', () => waiting.stderr().includes('the agent is paused'));
    expect(waiting.stderr()).toContain('roost agents resume sleepy');
    await roost(['agents', 'resume', 'sleepy']);
    expect((await waiting.ended).code).toBe(0);
    await server.api('POST', `/v1/agent/${id}/balance`, { output_token_balance: 0 });
    const broke = start(['send', 'sleepy', 'list files']);
    await until('it says so', () => broke.stderr().includes('no output tokens left'));
    await server.api('POST', `/v1/agent/${id}/balance`, { output_token_balance: 1_000 });
    expect((await broke.ended).code).toBe(0);
  });

  it('tries drafts, pins conversations and names what the audit is about', async () => {
    await roost(['agents', 'create', 'poet']);
    const { stdout } = await roost(['agents', 'draft', 'poet', '--prompt', 'Rhyme.']);
    expect(stdout).toBe('Version 2 is a draft.\n');
    expect((await roost(['send', '--version', '2', 'poet', 'list files'])).code).toBe(0);
    expect((await json<{ version: number }[]>('runs', 'poet')).length).toBe(1);
    expect((await roost(['agents', 'pin', 'poet', 'default', '1'])).stdout).toBe('Version 1 answers in it.\n');
    expect((await roost(['agents', 'pin', 'poet', 'default', 'none'])).stdout).toBe('Not pinned.\n');
    expect((await roost(['agents', 'versions', 'poet'])).stdout).toMatch(/^2 draft +/m);
    const audit = await roost(['audit', '--action', 'agent.drafted']);
    expect(audit.stdout).toMatch(/agent\.drafted +agent:poet +system_prompt\n$/);
  });

  it('compares versions and goes back to one, and says which secret it could not bring back', async () => {
    const { id } = await json<{ id: string }>('agents', 'create', 'singer', '--prompt', 'Sing.');
    const variables = (value: string) => ({ configuration: { custom_env: { TOKEN: value } } });
    await server.api('POST', `/v1/agent/update/${id}`, variables('one'));
    await server.api('POST', `/v1/agent/update/${id}`, { system_prompt: 'Hum.', ...variables('another') });
    const difference = (await roost(['agents', 'diff', 'singer', '2'])).stdout;
    expect(difference).toContain('system_prompt\n  - "Sing."\n  + "Hum."\n');
    expect(difference).toContain('TOKEN\n  - a secret, set in version 2\n  + a secret, set in version 3\n');
    const back = await roost(['agents', 'rollback', 'singer', '2', '--note', 'too quiet']);
    expect(back.stdout).toBe('It has the settings of version 2, as version 4.\n');
    expect(back.stderr).toMatch(/not restored: configuration\.custom_env\.TOKEN \([a-z ]+\)/);
    expect((await roost(['agents', 'versions', 'singer'])).stdout).toMatch(/^4 \*.*too quiet$/m);
    expect((await roost(['agents', 'diff', 'singer', '4'])).stdout).toBe('Nothing differs.\n');
  });

  it('copies a whole directory, and nothing out of the folder that is named', async () => {
    await json('agents', 'create', 'archivist');
    await roost([
      'send',
      'archivist',
      'run: mkdir -p a/b && echo one > a/1.txt && echo two > a/b/2.txt && ln -s /etc/passwd a/link',
    ]);
    const folder = join(home, 'copied');
    const copied = await roost(['files', 'cp', 'archivist:', folder]);
    expect(copied).toMatchObject({ code: 0, stderr: expect.stringContaining('left out') as string });
    expect(readFileSync(join(folder, 'a/b/2.txt'), 'utf8')).toBe('two\n');
    expect(existsSync(join(folder, 'a/link'))).toBe(false);
    await roost(['files', 'cp', 'archivist:a/b', folder]);
    expect(readFileSync(join(folder, 'b/2.txt'), 'utf8')).toBe('two\n');
    expect(await roost(['files', 'cp', 'archivist:a', '-'])).toMatchObject({ code: 2 });
  });

  it('applies files, says what differs, and writes them', async () => {
    const team = join(home, 'team.yaml');
    const text = (prompt: string) => `agents:
  sorter:
    system_prompt: ${prompt}
    configuration: { custom_env: { TOKEN: { from_env: SORTER_SECRET } } }
    schedules: { nightly: { cron_expression: 0 3 * * *, message_template: list files } }
    triggers: { issues: { message_template: "{{payload.title}}" } }
`;
    writeFileSync(team, text('Sort.'));
    const env = { SORTER_SECRET: 'canary' };
    const files = ['-f', team];
    const unset = await roost(['apply', ...files]);
    expect(unset).toMatchObject({ code: 2, stderr: expect.stringMatching(/SORTER_SECRET is not set/) as string });
    const dry = await roost(['apply', ...files, '--dry-run'], { env });
    expect(dry).toMatchObject({ code: 0, stdout: expect.stringContaining('TOKEN: (a secret)') as string });
    expect(await roost(['diff', ...files], { env })).toMatchObject({ code: 1, stdout: dry.stdout });
    const made = await roost(['apply', ...files], { env });
    expect(made).toMatchObject({ code: 0, stderr: expect.stringMatching(/shown this once: whs_/) as string });
    expect(made.stdout).toMatch(/^agent sorter  made\nschedule sorter\/nightly  made\ntrigger sorter\/issues  made$/m);
    const same = await roost(['diff', ...files]);
    expect(same).toEqual({
      code: 0,
      stdout: '',
      stderr: 'not set, so left as they are: SORTER_SECRET\nNothing differs.\n',
    });

    const exported = await roost(['export', 'sorter']);
    expect(exported.stdout).toContain('TOKEN:\n          from_env: SORTER_TOKEN\n');
    expect(JSON.stringify([exported, dry, made])).not.toContain('canary');
    const back = await roost(['diff', '-f', '-', '--prune', '--json'], { stdin: exported.stdout });
    expect(back.code).toBe(0);
    expect(JSON.parse(back.stdout)).toMatchObject({ differs: false, is_complete: true });

    writeFileSync(team, `${text('Sort well.')}  other: { id: 0190b5a2-0000-7000-8000-000000000000 }\n`);
    expect(await roost(['apply', ...files], { env })).toMatchObject({ code: 3, stdout: '' });
    for (const [content, why] of [
      ['agents: [', 'is not YAML'],
      ['a: 1\n---\nb: 2\n', 'several YAML documents'],
      ['', 'is empty'],
      ['- a', 'holds no document'],
      ['agents: { a: { colour: red } }', 'colour'],
    ] as const) {
      writeFileSync(team, content);
      const refused = await roost(['diff', ...files]);
      expect(refused).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(why) as string });
    }
    const nowhere = { env: { ROOST_URL: 'http://127.0.0.1:9', ROOST_API_KEY: 'x' }, cwd: home };
    expect(await roost(['diff', ...files], nowhere)).toMatchObject({ code: 5 });
    expect(await roost(['apply'])).toMatchObject({ code: 2 });
  });

  it('says in one line what is wrong, with its own exit code', async () => {
    const nowhere = { env: { ROOST_URL: 'http://127.0.0.1:9', ROOST_API_KEY: 'x' }, cwd: home };
    const gone = await roost(['agents', 'list'], nowhere);
    expect(gone).toMatchObject({
      code: 5,
      stderr: expect.stringMatching(/^roost: no answer from .*roost up.*\n$/) as string,
    });
    for (const args of [
      ['agents', 'lits'],
      ['agents', 'get'],
      ['chat', '--colour'],
      ['nothing'],
      ['completion', 'tcsh'],
    ]) {
      const { code, stderr } = await roost(args);
      expect([code, /^roost: .*\n$/.test(stderr)], `${args.join(' ')}: ${stderr}`).toEqual([2, true]);
    }
    expect((await roost(['send', 'assistant', 'run:', 'ls', '-la'])).stderr).toContain('quote the text');
    // What there is, instead of nothing.
    for (const args of [[], ['agents']]) expect((await roost(args)).stdout).toContain('COMMANDS');
    expect((await roost(['--version'])).stdout).toBe(`${version}\n`);
    expect((await roost(['--help'])).stdout).toContain('Exit codes');
  });

  it('proposes what may come next', async () => {
    expect((await roost(['__complete', 'age'])).stdout).toBe('agents\n');
    expect((await roost(['__complete', 'agents', 'get', 'ass'])).stdout).toBe('assistant\n');
    expect((await roost(['__complete', 'agents', 'list', '--st'])).stdout).toContain('--status');
    for (const shell of ['bash', 'zsh', 'fish'])
      expect((await roost(['completion', shell])).stdout).toContain('__complete');
  });

  /** For commands that run elsewhere than below the data folder. */
  const reached = () => ({ ROOST_URL: server.url, ROOST_API_KEY: server.apiKey });
});
