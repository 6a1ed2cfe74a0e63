import { LLMock } from '@copilotkit/aimock';
import { freePort } from '#tools/launcher';
import { bundleProgram, MisbehavingMcpServer, startRoost, type TestRoost, until, logText } from '#lib/testing';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { oauthMcpServer, type OAuthMcpServer } from '../doubles/oauth-mcp-server.js';

interface Server {
  id: string;
  status: string;
  is_authorized: boolean;
  tools: { name: string }[];
  header_names: string[];
}

const program = (name: string) =>
  fileURLToPath(new URL(`../../node_modules/@modelcontextprotocol/${name}/dist/index.js`, import.meta.url));

/** The registry as a user meets it: over HTTP, with published servers and a model of OpenAI's wire format. */
describe('MCP servers over the API', () => {
  const mock = new LLMock({ port: 0, logLevel: 'silent' });
  const children: ChildProcess[] = [];
  let roost: TestRoost;
  let everything: string;

  /** Starts the published server, which refuses sessions that it does not know with 400. */
  const startEverything = async (port: number): Promise<{ url: string; child: ChildProcess }> => {
    const url = `http://127.0.0.1:${port}/mcp`;
    const child = spawn(process.execPath, [program('server-everything'), 'streamableHttp'], {
      env: { ...process.env, PORT: String(port) },
      stdio: 'ignore',
    });
    children.push(child);
    await until('server-everything listens', () =>
      fetch(url).then(
        async (response) => (await response.body?.cancel(), true),
        () => false,
      ),
    );
    return { url, child };
  };

  beforeAll(async () => {
    await mock.start();
    roost = await startRoost({ env: { OPENAI_BASE_URL: `${mock.url}/v1`, ROOST_DEFAULT_MODEL: 'openai/test' } });
    ({ url: everything } = await startEverything(await freePort()));
  });
  afterEach(() => void mock.reset());
  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL');
    await roost.stop();
    await mock.stop();
  });

  const api = async <Body = Server>(method: string, path: string, status: number, body?: object): Promise<Body> => {
    const response = await roost.api<Body>(method, `/v1/mcp/servers${path}`, body);
    expect(response.status, JSON.stringify(response.body)).toBe(status);
    return response.body;
  };
  const createAgent = async (configuration: object = {}) => {
    const made = await roost.api<{ id: string }>('POST', '/v1/agent/create', { name: 'a', configuration });
    expect(made.status, JSON.stringify(made.body)).toBe(201);
    return made.body.id;
  };

  /** Has the agent's model call a tool, and gives all that the model was shown. */
  async function callTool(
    agentId: string,
    name: string,
    args: object = {},
    conversation = `c${Math.random()}`,
  ): Promise<string> {
    let shown = '';
    mock.on({ predicate: (request) => ((shown = JSON.stringify(request.messages)), false) }, { content: '' });
    mock.on({ predicate: ({ messages }) => messages.at(-1)?.role === 'tool' }, { content: 'done' });
    mock.onMessage('use it', { toolCalls: [{ name, arguments: JSON.stringify(args) }] });
    const sent = await roost.api<{ id: string }>('POST', `/v1/agent/${agentId}/messages`, {
      content: 'use it',
      conversation_id: conversation,
    });
    const answer = await roost.api<{ replies: { content: string }[] }>(
      'GET',
      `/v1/agent/${agentId}/messages/${sent.body.id}?wait=60`,
    );
    expect(answer.body.replies.map(({ content }) => content)).toEqual(['done']);
    mock.reset();
    return shown;
  }

  it('are registered, looked after, granted to agents and deleted', async () => {
    const agentId = await createAgent();
    const made = await api('POST', '', 201, { name: 'every', url: everything, headers: { 'x-key': 'hidden-header' } });
    expect(made).toMatchObject({ name: 'every', status: 'unknown', header_names: ['x-key'], tools: [] });
    expect(JSON.stringify(made)).not.toContain('hidden-header');
    const list = await api<{ servers: Server[]; pagination: { total: number } }>('GET', '', 200);
    expect(list).toMatchObject({ servers: [{ id: made.id }], pagination: { total: 1 } });
    await expect(api<object>('GET', `/${made.id}/health`, 200)).resolves.toMatchObject({
      healthy: true,
      status: 'connected',
    });
    const refreshed = await api('POST', `/${made.id}/tools/refresh`, 200);
    expect(refreshed.tools.map(({ name }) => name)).toEqual(expect.arrayContaining(['echo', 'get-sum']));

    await expect(callTool(agentId, 'every__echo', { message: 'no access' })).resolves.not.toContain('Echo: no access');
    await api('POST', `/${made.id}/access`, 201, { agent_id: agentId, access_mode: 'selected', tools: ['echo'] });
    await expect(api<object>('GET', `/${made.id}/access`, 200)).resolves.toMatchObject({
      access: [{ agent_id: agentId, access_mode: 'selected', tools: ['echo'] }],
    });
    await expect(callTool(agentId, 'every__echo', { message: 'granted' })).resolves.toContain('Echo: granted');
    await expect(callTool(agentId, 'every__get-sum', { a: 20, b: 22 })).resolves.not.toContain('is 42');
    await api('POST', `/${made.id}/access`, 201, { agent_id: agentId });
    await expect(callTool(agentId, 'every__get-sum', { a: 20, b: 22 })).resolves.toContain('is 42');
    const agent = await roost.api<{ mcp_servers: object[] }>('GET', `/v1/agent/${agentId}`);
    expect(agent.body.mcp_servers).toMatchObject([{ id: made.id, name: 'every', access_mode: 'all' }]);

    const replaced = await api('PUT', `/${made.id}`, 200, { name: 'renamed', url: everything });
    expect(replaced).toMatchObject({ id: made.id, name: 'renamed', header_names: [] });
    await expect(callTool(agentId, 'renamed__echo', { message: 'again' })).resolves.toContain('Echo: again');
    await api('DELETE', `/${made.id}/access/${agentId}`, 200);
    await api('DELETE', `/${made.id}/access/${agentId}`, 404);
    await expect(callTool(agentId, 'renamed__echo', { message: 'revoked' })).resolves.not.toContain('Echo: revoked');
    await api('DELETE', `/${made.id}`, 200);
    await api('GET', `/${made.id}`, 404);
  });

  it.each([
    ['neither url nor command', { name: 'x' }],
    ['both url and command', { name: 'x', url: 'https://example.com/mcp', command: 'node' }],
    ['an unknown field', { name: 'x', url: 'https://example.com/mcp', nmae: 1 }],
    ['a name with spaces', { name: 'a b', url: 'https://example.com/mcp' }],
    ['a private address', { name: 'x', url: 'http://10.0.0.1/mcp' }],
    ['a metadata address', { name: 'x', url: 'http://169.254.169.254/mcp' }],
    ['credentials in the address', { name: 'x', url: 'https://me:secret@example.com/mcp' }],
    ['headers for a command', { name: 'x', command: 'node', headers: { a: 'b' } }],
  ])('refuse %s', async (_, body) => {
    await expect(api('POST', '', 400, body)).resolves.toMatchObject({ error: { code: 'VALIDATION_ERROR' } });
  });

  it('that are away are reported so, and the agent goes on', async () => {
    const gone = await api('POST', '', 201, { name: 'gone', url: `http://127.0.0.1:${await freePort()}/mcp` });
    await expect(api<object>('GET', `/${gone.id}/health`, 200)).resolves.toMatchObject({
      healthy: false,
      status: 'failed',
    });
    const agentId = await createAgent();
    await api('POST', `/${gone.id}/access`, 201, { agent_id: agentId });
    await expect(callTool(agentId, 'list_files')).resolves.toContain('The MCP server gone cannot be used now');
    await api('DELETE', `/${gone.id}`, 200);
  });

  it('of an agent’s own configuration say in the agent how they are doing, and why not', async () => {
    const [good, dead] = ['every', 'dead'];
    const url = `http://127.0.0.1:${await freePort()}/mcp`;
    const agentId = await createAgent({
      mcp_servers: { [good]: { url: everything }, [dead]: { url, headers: { authorization: 'Bearer canary' } } },
    });
    const shown = async () =>
      (
        await roost.api<{ mcp_servers: { name: string; status: string; reason: string | null }[] }>(
          'GET',
          `/v1/agent/${agentId}`,
        )
      ).body.mcp_servers;
    expect((await shown()).map(({ status }) => status)).toEqual(['configured', 'configured']);
    await callTool(agentId, 'list_files');
    const found = await until('both are known', async () => {
      const all = await shown();
      return all.every(({ status }) => status !== 'configured') && all;
    });
    expect(found).toMatchObject([
      { name: good, status: 'connected', reason: null },
      { name: dead, status: 'failed', reason: expect.stringMatching(/\S/) as string },
    ]);
    expect(JSON.stringify(found)).not.toContain('canary');
  });

  describe('that are restarted in the middle of a conversation', () => {
    let odd: MisbehavingMcpServer;
    beforeAll(async () => void (odd = await MisbehavingMcpServer.start()));
    afterAll(() => odd.stop());

    it('go on with it: one that says 404, and one that says 400', async () => {
      const port = await freePort();
      const { url, child } = await startEverything(port);
      const agentId = await createAgent({ mcp_servers: { odd: { url: odd.url }, every: { url } } });
      const conversation = 'restarts';
      await expect(callTool(agentId, 'odd__echo', { text: 'first' }, conversation)).resolves.toContain('first');
      await expect(callTool(agentId, 'every__get-sum', { a: 1, b: 1 }, conversation)).resolves.toContain('is 2');

      await odd.restart();
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
      await startEverything(port);

      await expect(callTool(agentId, 'odd__echo', { text: 'second' }, conversation)).resolves.toContain('second');
      await expect(callTool(agentId, 'every__get-sum', { a: 20, b: 22 }, conversation)).resolves.toContain('is 42');
    });

    it('go on with it when it is between two calls of one turn', async () => {
      const agentId = await createAgent({ mcp_servers: { odd: { url: odd.url } } });
      let results: string[] = [];
      const isAfter = (calls: number) => ({
        predicate: ({ messages }: { messages: { role: string; content?: unknown }[] }) => {
          const found = messages.filter(({ role }) => role === 'tool').map(({ content }) => JSON.stringify(content));
          if (found.length === calls) results = found;
          return found.length === calls;
        },
      });
      const call = (text: string) => ({ toolCalls: [{ name: 'odd__echo', arguments: JSON.stringify({ text }) }] });
      mock.on(isAfter(2), { content: 'both' });
      mock.on(isAfter(1), async () => {
        await odd.restart();
        return call('two');
      });
      mock.onMessage('twice', call('one'));
      const sent = await roost.api<{ id: string }>('POST', `/v1/agent/${agentId}/messages`, { content: 'twice' });
      const path = `/v1/agent/${agentId}/messages/${sent.body.id}?wait=60`;
      const answer = await roost.api<{ replies: { content: string }[] }>('GET', path);
      expect(answer.body.replies.map(({ content }) => content)).toEqual(['both']);
      expect(results[0]).toContain('one');
      expect(results[1]).toContain('two');
    });
  });

  describe('that want to be authorised (OAuth 2.1)', () => {
    let guarded: OAuthMcpServer;
    beforeAll(async () => {
      guarded = await oauthMcpServer();
    });
    afterAll(() => guarded.close());

    it('are discovered, registered with, granted by the user with PKCE, used and refreshed; tokens are sealed', async () => {
      const agentId = await createAgent();
      const { id } = await api('POST', '', 201, { name: 'guarded', url: guarded.url });
      await api('POST', `/${id}/access`, 201, { agent_id: agentId });
      await expect(api<object>('GET', `/${id}/health`, 200)).resolves.toMatchObject({
        healthy: false,
        status: 'needs_authorization',
      });

      const redirectUri = 'http://127.0.0.1:9/back';
      const begun = await api<{ authorization_url: string; state: string }>(
        'GET',
        `/${id}/oauth/authorize?redirect_uri=${encodeURIComponent(redirectUri)}`,
        200,
      );
      const asked = new URL(begun.authorization_url);
      expect(asked.searchParams.get('code_challenge_method')).toBe('S256');
      expect(asked.searchParams.get('state')).toBe(begun.state);
      expect(asked.searchParams.get('resource')).toBe(guarded.url);
      expect(guarded.registrations).toBe(1);
      const granted = await fetch(asked, { redirect: 'manual' });
      const back = new URL(granted.headers.get('location') ?? '');
      expect(back.href.startsWith(redirectUri)).toBe(true);
      const code = back.searchParams.get('code') ?? '';

      await api('POST', `/${id}/oauth/callback`, 400, { code, state: 'not-the-state' });
      const finish = () =>
        roost.api<Server>('POST', `/v1/mcp/servers/${id}/oauth/callback`, { code, state: begun.state });
      const both = await Promise.all([finish(), finish()]);
      expect(both.map(({ status }) => status).sort()).toEqual([200, 400]);
      const authorised = both.find(({ status }) => status === 200)?.body;
      expect(authorised).toMatchObject({ status: 'connected', is_authorized: true, tools: [{ name: 'whoami' }] });
      await api('POST', `/${id}/oauth/callback`, 400, { code, state: begun.state });
      // Refused callbacks leave no record.
      const { body: audit } = await roost.api<{ records: object[] }>('GET', '/v1/audit?action=mcp_server.authorized');
      expect(audit.records).toMatchObject([{ actor: { type: 'api_key' }, target: { type: 'mcp_server', id } }]);
      await expect(callTool(agentId, 'guarded__whoami')).resolves.toContain('an authorised guest');

      guarded.expireAccessTokens();
      await expect(callTool(agentId, 'guarded__whoami')).resolves.toContain('an authorised guest');
      expect(guarded.refreshes).toBe(1);

      const sql = new pg.Client({ connectionString: roost.databaseUrl });
      await sql.connect();
      const { rows } = await sql.query('SELECT * FROM runtime.mcp_servers');
      await sql.end();
      const log = await logText(join(roost.dataDir, 'roost.log'));
      for (const token of guarded.issued) expect(JSON.stringify(rows) + log).not.toContain(token);
      await api('DELETE', `/${id}`, 200);
    });

    it('notify their owner once that only he can grant access again, until he has', async () => {
      const received: { type: string; data: { server: { id: string }; authorize: string } }[] = [];
      const receiver = createServer((request, response) => {
        void text(request).then((body) => {
          received.push(JSON.parse(body) as (typeof received)[number]);
          response.end();
        });
      });
      await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
      const hook = await roost.api<{ endpoint: { id: string } }>('POST', '/v1/webhooks/endpoints', {
        url: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`,
        events: ['mcp.authorization_needed'],
      });
      expect(hook.status, JSON.stringify(hook.body)).toBe(201);

      const agentId = await createAgent();
      const { id } = await api('POST', '', 201, { name: 'revoked', url: guarded.url });
      await api('POST', `/${id}/access`, 201, { agent_id: agentId });
      // Webhooks about other servers of the account may arrive as late as now.
      const notices = () => received.filter(({ data }) => data.server.id === id);
      const status = async () => (await api('GET', `/${id}`, 200)).status;
      const grant = async () => {
        const begun = await api<{ authorization_url: string; state: string }>('GET', `/${id}/oauth/authorize`, 200);
        const granted = await fetch(begun.authorization_url, { redirect: 'manual' });
        const code = new URL(granted.headers.get('location') ?? '').searchParams.get('code');
        await api('POST', `/${id}/oauth/callback`, 200, { code, state: begun.state });
      };
      for (let again = 0; again < 2; again++)
        await expect(api<object>('GET', `/${id}/health`, 200)).resolves.toMatchObject({
          healthy: false,
          status: 'needs_authorization',
        });
      await until('the owner is notified', () => notices().length > 0);
      await grant();
      await expect(callTool(agentId, 'revoked__whoami')).resolves.toContain('an authorised guest');

      guarded.expireAccessTokens();
      guarded.isDown = true;
      await expect(callTool(agentId, 'revoked__whoami')).resolves.not.toContain('an authorised guest');
      guarded.isDown = false;
      await expect(status()).resolves.not.toBe('needs_authorization');
      await expect(callTool(agentId, 'revoked__whoami')).resolves.toContain('an authorised guest');

      guarded.revoke();
      await expect(callTool(agentId, 'revoked__whoami')).resolves.toContain('wants to be authorised');
      await expect(status()).resolves.toBe('needs_authorization');
      await callTool(agentId, 'revoked__whoami');
      await api('GET', `/${id}/health`, 200);
      await until('the owner is notified again', () => notices().length > 1);
      await grant();
      await expect(status()).resolves.toBe('connected');
      await expect(callTool(agentId, 'revoked__whoami')).resolves.toContain('an authorised guest');

      expect(notices()).toHaveLength(2);
      for (const { type, data } of notices()) {
        expect(type).toBe('mcp.authorization_needed');
        expect(data).toMatchObject({
          server: { id, name: 'revoked' },
          authorize: `/v1/mcp/servers/${id}/oauth/authorize`,
        });
      }
      await roost.api('DELETE', `/v1/webhooks/endpoints/${hook.body.endpoint.id}`);
      await api('DELETE', `/${id}`, 200);
      receiver.close().closeAllConnections();
    });

    it('show the granted code on a page where no other address was named, and take it from there', async () => {
      const { id } = await api('POST', '', 201, { name: 'landing', url: guarded.url });
      const begun = await api<{ authorization_url: string; state: string }>('GET', `/${id}/oauth/authorize`, 200);
      const granted = await fetch(begun.authorization_url, { redirect: 'manual' });
      const back = new URL(granted.headers.get('location') ?? '');
      expect(back.origin).toBe(roost.url);
      const page = await fetch(back);
      expect([page.status, page.headers.get('content-type'), page.headers.get('cache-control')]).toEqual([
        200,
        'text/html; charset=utf-8',
        'no-store',
      ]);
      const [, shown = ''] = /<pre>([\s\S]*)<\/pre>/.exec(await page.text()) ?? [];
      const body = JSON.parse(shown.replaceAll('&quot;', '"')) as object;
      expect(body).toMatchObject({ state: begun.state });
      const refused = await (
        await fetch(`${back.origin}${back.pathname}?error=access_denied&error_description=<b>no`)
      ).text();
      expect(refused).toContain('&lt;b&gt;no');
      expect(await api('POST', `/${id}/oauth/callback`, 200, body)).toMatchObject({ is_authorized: true });
      await api('DELETE', `/${id}`, 200);
    });

    it('say that a command needs none, and that a server without it asks for none', async () => {
      const command = await api('POST', '', 201, { name: 'command', command: 'node' });
      await api('GET', `/${command.id}/oauth/authorize`, 409);
      const open = await api('POST', '', 201, { name: 'open', url: everything });
      await api('GET', `/${open.id}/oauth/authorize`, 409);
    });
  });

  it('run over stdio inside the sandbox, never on the host', async () => {
    const agentId = await createAgent({
      mcp_servers: {
        every: { command: 'node', args: ['/workspace/server-everything.mjs', 'stdio'], env: { MARK: 'inside' } },
        files: { command: 'node', args: ['/workspace/server-filesystem.mjs', '/workspace'] },
      },
    });
    const folder = mkdtempSync(join(tmpdir(), 'roost-mcp-'));
    for (const name of ['server-everything', 'server-filesystem']) {
      const file = await bundleProgram(program(name), join(folder, `${name}.mjs`));
      const path = `/v1/agent/${agentId}/filesystem/files/${name}.mjs`;
      const written = await roost.api('POST', path, readFileSync(file), { 'content-type': 'application/octet-stream' });
      expect(written.status, JSON.stringify(written.body)).toBe(201);
    }
    rmSync(folder, { recursive: true });
    // A turn does not wait for a server that starts slowly: its tools may be there in the next one only.
    await expect.poll(() => callTool(agentId, 'every__get-sum', { a: 2, b: 40 })).toContain('is 42');
    // Its environment is the sandbox's: its own variable, and none of the services'.
    const env = await callTool(agentId, 'every__get-env');
    expect(env).toContain('inside');
    expect(env).not.toMatch(/DATABASE_URL|NATS_CREDS|MASTER_KEY/);
    await expect
      .poll(() => callTool(agentId, 'files__write_file', { path: '/workspace/by-mcp.txt', content: 'from a tool' }))
      .toContain('Successfully wrote');
    const read = await roost.api<{ content: string }>('GET', `/v1/agent/${agentId}/filesystem/files/by-mcp.txt`);
    expect(read.body.content).toBe('from a tool');
    await expect(callTool(agentId, 'files__read_text_file', { path: '/etc/passwd' })).resolves.toContain(
      'Access denied',
    );
  });
});
