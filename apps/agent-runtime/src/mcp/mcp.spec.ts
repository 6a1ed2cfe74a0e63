import { LLMock } from '@copilotkit/aimock';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { type McpServerConfig } from '#lib/contracts';
import * as contract from '#lib/contracts';
import type { Sealer } from '#lib/auth';
import { Database } from '#lib/database';
import { requestOverNats } from '#lib/rpc';
import { MisbehavingMcpServer, freePort, until } from '#lib/testing';
import { type ChildProcess, spawn } from 'node:child_process';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { z } from 'zod';
import { type RuntimeFixture, startRuntime } from '../../test/runtime-fixture.js';
import { serveLocalProcesses } from '../../test/local-processes.js';
import { McpServersRepository } from './registry/mcp-servers.repository.js';
import { OwnServersRepository } from './registry/own-servers.repository.js';

const program = (name: string) =>
  fileURLToPath(new URL(`../../../../node_modules/@modelcontextprotocol/${name}/dist/index.js`, import.meta.url));

describe('MCP servers in a turn', () => {
  const mock = new LLMock({ port: 0, logLevel: 'silent' });
  const children: ChildProcess[] = [];
  const servers: Server[] = [];
  let runtime: RuntimeFixture;
  let stopProcesses: () => void;
  let prompt = '';

  beforeAll(async () => {
    await mock.start();
    runtime = await startRuntime({ OPENAI_BASE_URL: `${mock.url}/v1`, ROOST_DEFAULT_MODEL: 'openai/test' });
    runtime.workspace.start();
    stopProcesses = serveLocalProcesses(runtime.connection, runtime.platform.agentId);
  });
  afterEach(() => void mock.reset());
  afterAll(async () => {
    await runtime.stop();
    stopProcesses();
    for (const child of children) child.kill('SIGKILL');
    for (const server of servers) server.close().closeAllConnections();
    await mock.stop();
  });

  /** Lets the model call one tool and gives what the model was shown of it. */
  async function callTool(name: string, args: object): Promise<string> {
    mock.on({ predicate: (request) => ((prompt = JSON.stringify(request)), false) }, { content: '' });
    // A picture in a result follows it as a message of its own.
    mock.on({ predicate: ({ messages }) => messages.some(({ role }) => role === 'tool') }, { content: 'done' });
    mock.onMessage('use it', { toolCalls: [{ name, arguments: JSON.stringify(args) }] });
    const outcome = await runtime.platform.send('use it', { conversationId: `mcp-${Math.random()}` }).outcome;
    expect(outcome).toMatchObject({ end: 'completed', replies: ['done'] });
    return prompt;
  }

  /** A server that takes more than five seconds to start has no tools in the first turn. */
  const becomes = (text: string, tool: string, args: object) =>
    until(`${tool} gives ${text}`, async () => {
      mock.reset();
      return (await callTool(tool, args)).includes(text);
    });

  async function everything(transport: 'streamableHttp' | 'sse'): Promise<string> {
    let [url, child] = await startEverything(transport);
    await until(`${transport} listens`, async () => {
      // Another took its port meanwhile.
      if (child.exitCode !== null) [url, child] = await startEverything(transport);
      const response = await fetch(url, { signal: AbortSignal.timeout(5_000) }).catch(() => undefined);
      await response?.body?.cancel();
      return response !== undefined;
    });
    return url;
  }

  async function startEverything(transport: 'streamableHttp' | 'sse'): Promise<[url: string, child: ChildProcess]> {
    const port = await freePort();
    const child = spawn(process.execPath, [program('server-everything'), transport], {
      env: { ...process.env, PORT: String(port) },
      stdio: 'ignore',
    });
    children.push(child);
    return [`http://127.0.0.1:${port}/${transport === 'sse' ? 'sse' : 'mcp'}`, child];
  }

  async function listen(handle: RequestListener): Promise<string> {
    const server = createServer(handle);
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
  }

  const use = (mcpServers: Record<string, McpServerConfig>) => runtime.platform.configure({ mcpServers });

  it('are called over Streamable HTTP, images passed on', async () => {
    use({ every: { url: await everything('streamableHttp') } });
    await expect(callTool('every__echo', { message: 'over the wire' })).resolves.toContain('Echo: over the wire');
    mock.reset();
    await expect(callTool('every__get-tiny-image', {})).resolves.toContain('data:image/png;base64,');
  });

  it('fall back to SSE for older servers', async () => {
    use({ older: { url: await everything('sse') } });
    await expect(callTool('older__echo', { message: 'old' })).resolves.toContain('Echo: old');
  });

  it('run over stdio in the workspace', async () => {
    use({
      std: { command: process.execPath, args: [program('server-everything'), 'stdio'] },
      files: {
        command: process.execPath,
        args: [program('server-filesystem'), fileURLToPath(new URL('.', import.meta.url))],
      },
    });
    await becomes('42', 'std__get-sum', { a: 2, b: 40 });
    await becomes('mcp.spec.ts', 'files__list_directory', { path: fileURLToPath(new URL('.', import.meta.url)) });
  });

  it('keep their connection across turns', async () => {
    let initialised = 0;
    const target = new URL(await everything('streamableHttp'));
    const url = await listen((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body = Buffer.concat(chunks);
        if (body.includes('"initialize"')) initialised++;
        const headers = Object.fromEntries(
          Object.entries(request.headers).filter(
            ([name]) => !['host', 'connection', 'content-length', 'transfer-encoding'].includes(name),
          ),
        ) as Record<string, string>;
        void fetch(target, { method: request.method ?? 'GET', headers, ...(body.length ? { body } : {}) })
          .then(async (answer) => {
            response.writeHead(answer.status, Object.fromEntries(answer.headers));
            for await (const chunk of answer.body ?? []) response.write(chunk);
            response.end();
          })
          .catch(() => response.destroy());
      });
    });
    use({ kept: { url } });
    for (let turn = 0; turn < 3; turn++) {
      mock.reset();
      await callTool('kept__echo', { message: `turn ${turn}` });
    }
    expect(initialised).toBe(1);
  });

  it.each<[string, RequestListener]>([
    [
      'answers with a web page',
      (_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Not an MCP server</html>'),
    ],
    ['hangs', () => undefined],
    [
      'sends 100 MB',
      (_, response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        const chunk = Buffer.alloc(1_048_576, 32);
        const write = (left: number) => void (left > 0 ? response.write(chunk, () => write(left - 1)) : response.end());
        write(100);
      },
    ],
  ])('that %s is named to the model, and the turn goes on', async (_, handle) => {
    use({ bad: { url: await listen(handle) } });
    let system = '';
    mock.on({ predicate: (request) => ((system = JSON.stringify(request.messages)), true) }, { content: 'I go on.' });
    const { replies } = await runtime.platform.send('hello', { conversationId: `bad-${Math.random()}` }).outcome;
    expect(replies).toEqual(['I go on.']);
    expect(system).toContain('The MCP server bad cannot be used now');
  });

  it('that die make their tools answer with an error', async () => {
    const url = await everything('streamableHttp');
    use({ mortal: { url } });
    await callTool('mortal__echo', { message: 'alive' });
    children.at(-1)?.kill('SIGKILL');
    mock.reset();
    const output = await callTool('mortal__echo', { message: 'dead' });
    expect(output).not.toContain('Echo: dead');
  });

  it('that change their tools in mid-session are called by what they have now', async () => {
    const server = new McpServer({ name: 'changing', version: '1' });
    const text = (value: string) => ({ content: [{ type: 'text' as const, text: value }] });
    const old = server.registerTool('old', { description: 'old' }, () => text('old result'));
    const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: () => 'one' });
    await server.connect(transport as Transport);
    use({ changing: { url: await listen((request, response) => void transport.handleRequest(request, response)) } });
    await expect(callTool('changing__old', {})).resolves.toContain('old result');
    // The server announces its change by itself: nobody asks for its tools again.
    old.remove();
    server.registerTool('fresh', { description: 'fresh' }, () => text('fresh result'));
    await until('the new tool can be called', async () => {
      mock.reset();
      return (await callTool('changing__fresh', {})).includes('fresh result');
    });
    mock.reset();
    await expect(callTool('changing__old', {})).resolves.not.toContain('old result');
    await server.close();
  });

  it('never show their headers to the model, the transcript or the workspace', async () => {
    const canary = 'mcp-canary-4d1f';
    use({ every: { url: await everything('streamableHttp'), headers: { 'x-api-key': canary } } });
    const output = await callTool('every__echo', { message: 'hello' });
    expect(output).not.toContain(canary);
    expect(JSON.stringify(runtime.platform.live)).not.toContain(canary);
    expect(JSON.stringify([...runtime.workspace.files.values()].map(String))).not.toContain(canary);
  });

  describe('of the registry', () => {
    const ask = <I extends z.ZodType, O extends z.ZodType>(
      request: contract.RequestContract<I, O>,
      input: z.output<I>,
      accountId = runtime.platform.accountId,
    ) =>
      requestOverNats(runtime.connection, request, input, {
        accountId,
        requestId: 'req_test',
        deadline: Date.now() + 20_000,
      });

    it('are shared with the agents that were given access, tool by tool', async () => {
      use({});
      const url = await everything('streamableHttp');
      const server = await ask(contract.createMcpServer, { name: 'shared', url, headers: { 'x-secret': 'hidden' } });
      expect(server).toMatchObject({ status: 'unknown', headerNames: ['x-secret'], tools: [] });
      const refreshed = await ask(contract.refreshMcpTools, { serverId: server.id });
      expect(refreshed.status).toBe('connected');
      expect(refreshed.tools.map(({ name }) => name)).toContain('echo');
      await expect(ask(contract.checkMcpHealth, { serverId: server.id })).resolves.toMatchObject({ healthy: true });

      await expect(callTool('shared__echo', { message: 'x' })).resolves.not.toContain('Echo: x');
      mock.reset();
      await ask(contract.grantMcpAccess, {
        serverId: server.id,
        agentId: runtime.platform.agentId,
        accessMode: 'selected',
        tools: ['echo'],
      });
      await expect(callTool('shared__echo', { message: 'granted' })).resolves.toContain('Echo: granted');
      mock.reset();
      await expect(callTool('shared__get-sum', { a: 1, b: 1 })).resolves.not.toContain('is 2');

      await ask(contract.revokeMcpAccess, { serverId: server.id, agentId: runtime.platform.agentId });
      await expect(ask(contract.listMcpAccess, { serverId: server.id })).resolves.toEqual({ access: [] });
      await ask(contract.deleteMcpServer, { serverId: server.id });
      await expect(ask(contract.getMcpServer, { serverId: server.id })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    });

    it('say why they cannot be reached any more, also where the connection to them was kept', async () => {
      use({});
      const server = await MisbehavingMcpServer.start();
      const { id: serverId } = await ask(contract.createMcpServer, { name: 'leaving', url: server.url });
      const health = () => ask(contract.checkMcpHealth, { serverId });
      await expect(health()).resolves.toMatchObject({ healthy: true, status: 'connected' });
      await server.stop();
      const now = await health();
      expect(now).toMatchObject({ healthy: false, status: 'failed', latencyMs: null });
      expect(now.statusReason).toMatch(/ECONNREFUSED/);
      await ask(contract.deleteMcpServer, { serverId });
    });

    it('in workspaces are healthy only when a turn has reached them, and show their last lines of stderr', async () => {
      use({});
      const runs = (code: string) => ({
        name: 'inside',
        command: process.execPath,
        args: ['-e', code],
        env: { TOKEN: 'plain-word' },
      });
      const { id: serverId } = await ask(
        contract.createMcpServer,
        runs(`console.error('no database for plain-word\u001b[2J'); process.exit(3)`),
      );
      const health = () => ask(contract.checkMcpHealth, { serverId });
      await expect(health()).resolves.toMatchObject({ healthy: false, status: 'unknown', checkedAt: null });
      await ask(contract.grantMcpAccess, { serverId, agentId: runtime.platform.agentId, accessMode: 'all', tools: [] });

      await callTool('inside__any', {});
      const failed = await until('it has failed', async () => {
        const found = await health();
        return found.status === 'failed' && found;
      });
      expect(failed).toMatchObject({ healthy: false, status: 'failed', stderrTail: 'no database for ***\\u{1b}[2J' });
      expect(failed.statusReason).toContain('exit code 3');
      expect(failed.checkedAt).toBeInstanceOf(Date);

      mock.reset();
      await ask(contract.updateMcpServer, {
        serverId,
        ...runs(`console.error('still waiting'); setInterval(() => 0, 1000)`),
      });
      await expect(health()).resolves.toMatchObject({ status: 'unknown', stderrTail: null, checkedAt: null });
      await callTool('inside__any', {});
      await until('the silent server has failed', async () => {
        const { status, stderrTail } = await health();
        return status === 'failed' && stderrTail === 'still waiting';
      });

      mock.reset();
      await ask(contract.updateMcpServer, {
        serverId,
        name: 'inside',
        command: process.execPath,
        args: [program('server-everything'), 'stdio'],
      });
      await becomes('Echo: at last', 'inside__echo', { message: 'at last' });
      await expect(health()).resolves.toMatchObject({ healthy: true, status: 'connected', stderrTail: null });
      await ask(contract.deleteMcpServer, { serverId });
    });

    it('are as who looked last has found them, however late the others are', async () => {
      const database = await Database.open({
        url: runtime.database.url,
        schema: 'runtime',
        migrations: [],
        poolSize: 1,
      });
      onTestFinished(() => database.close());
      const servers = new McpServersRepository(database, {} as Sealer);
      const own = new OwnServersRepository(database);
      const { accountId, agentId } = runtime.platform;
      const { id: serverId } = await ask(contract.createMcpServer, { name: 'raced', url: 'http://127.0.0.1:9999/mcp' });
      const status = async () => (await ask(contract.getMcpServer, { serverId })).status;
      const timedOut = { status: 'failed' as const, reason: 'timed out', stderrTail: null };
      const MINUTE = 60_000;
      // Of the server that was registered under this name before it was changed.
      await servers.setFailed(serverId, timedOut, MINUTE);
      await servers.setTools(serverId, [{ name: 'old', inputSchema: {} }], MINUTE);
      await servers.setConnected(serverId, null, MINUTE);
      await expect(ask(contract.getMcpServer, { serverId })).resolves.toMatchObject({ status: 'unknown', tools: [] });

      await database.query(`UPDATE mcp_servers SET updated_at = now() - interval '1 hour' WHERE id = $1`, [serverId]);
      await servers.setTools(serverId, [{ name: 'new', inputSchema: {} }], 0);
      await servers.setFailed(serverId, timedOut, MINUTE);
      await expect(status()).resolves.toBe('connected');
      await servers.setFailed(serverId, timedOut, 0);
      await expect(status()).resolves.toBe('failed');
      // It took long, and answered at last.
      await servers.setConnected(serverId, null, MINUTE);
      await expect(status()).resolves.toBe('connected');
      await ask(contract.deleteMcpServer, { serverId });

      const ownStatus = async () =>
        (await own.forAgent(accountId, agentId)).find(({ name }) => name === 'own-raced')?.status;
      await own.record(accountId, agentId, 'own-raced', null, 0);
      await own.record(accountId, agentId, 'own-raced', 'timed out', MINUTE);
      await expect(ownStatus()).resolves.toBe('connected');
      await own.record(accountId, agentId, 'own-raced', 'timed out', 0);
      await expect(ownStatus()).resolves.toBe('failed');
      await own.record(accountId, agentId, 'own-raced', null, MINUTE);
      await expect(ownStatus()).resolves.toBe('connected');
    });

    it('belong to their account alone', async () => {
      const server = await ask(contract.createMcpServer, { name: 'mine', url: 'http://127.0.0.1:9999/mcp' });
      const other = '00000000-0000-4000-8000-000000000001';
      await expect(ask(contract.getMcpServer, { serverId: server.id }, other)).rejects.toMatchObject({
        code: 'NOT_FOUND',
      });
      await expect(ask(contract.deleteMcpServer, { serverId: server.id }, other)).rejects.toMatchObject({
        code: 'NOT_FOUND',
      });
      await expect(
        ask(contract.createMcpServer, { name: 'mine', url: 'http://127.0.0.1:9999/mcp' }),
      ).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
    });

    it.each([
      'http://169.254.169.254/latest',
      'http://10.0.0.1/mcp',
      'ftp://example.com',
      'http://user:pw@example.com/',
    ])('refuse the address %s', async (url) => {
      await expect(ask(contract.createMcpServer, { name: 'evil', url })).rejects.toMatchObject({
        code: 'VALIDATION_ERROR',
      });
    });
  });
});
