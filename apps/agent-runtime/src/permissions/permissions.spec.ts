import { LLMock } from '@copilotkit/aimock';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { BUILT_IN_TOOLS, getRunSteps, type Permissions, type PermissionRule } from '#lib/contracts';
import { ownCall } from '#lib/call-context';
import { requestOverNats } from '#lib/rpc';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type RuntimeFixture, startRuntime } from '../../test/runtime-fixture.js';
import type { SendOptions } from '../../test/messaging-double.js';
import { cleanToolName, uniqueToolNames } from '../models/tool-name.js';
import { builtInTools } from '../tools/toolset.js';
import type { ToolContext } from '../tools/tool-context.js';

const LONG = `${'x'.repeat(80)}_read`;

/** A server with names that no provider takes, and what was called of it. */
async function oddServer() {
  const server = new McpServer({ name: 'odd', version: '1' });
  const called: [name: string, args: object][] = [];
  for (const name of ['do_it', 'do.it', LONG]) {
    const inputSchema = { 'größe!': z.string().optional(), branch: z.string().optional() };
    server.registerTool(name, { description: name, inputSchema }, (args) => {
      called.push([name, args]);
      return { content: [{ type: 'text', text: `${name} was called` }] };
    });
  }
  const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: () => 'one' });
  await server.connect(transport as Transport);
  const http = createServer((request, response) => void transport.handleRequest(request, response));
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  return {
    called,
    http,
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`,
    close: () => server.close(),
  };
}

describe('permissions of an agent', () => {
  const mock = new LLMock({ port: 0, logLevel: 'silent' });
  let runtime: RuntimeFixture;
  let odd: Awaited<ReturnType<typeof oddServer>>;
  let turns = 0;

  beforeAll(async () => {
    await mock.start();
    odd = await oddServer();
    runtime = await startRuntime({ OPENAI_BASE_URL: `${mock.url}/v1`, ROOST_DEFAULT_MODEL: 'openai/test' });
    runtime.workspace.start();
  });
  afterEach(() => {
    mock.reset();
    odd.called.length = 0;
    runtime.workspace.commands.length = 0;
  });
  afterAll(async () => {
    await runtime.stop();
    await odd.close();
    (odd.http as Server).close().closeAllConnections();
    await mock.stop();
  });

  /** Lets the model call a tool; gives the step of the run. */
  async function call(permissions: Permissions, name: string, args: object, options: SendOptions = {}) {
    runtime.platform.configure({ permissions, mcpServers: { odd: { url: odd.url } } });
    mock.on({ userMessage: 'go', hasToolResult: true }, { content: 'done' });
    mock.onMessage('go', { toolCalls: [{ name, arguments: JSON.stringify(args) }] });
    const { turnId, outcome } = runtime.platform.send('go', { conversationId: `permissions-${turns++}`, ...options });
    await expect(outcome).resolves.toMatchObject({ end: 'completed', replies: ['done'] });
    mock.reset();
    const { agentId, accountId } = runtime.platform;
    const about = { ...ownCall('req_test'), accountId };
    const { attempts } = await requestOverNats(runtime.connection, getRunSteps, { agentId, runId: turnId }, about);
    const step = attempts.flatMap(({ steps }) => steps).find(({ kind }) => kind === 'tool');
    return { isError: step?.tool?.isError, result: step?.tool?.result ?? '' };
  }
  const rules = (...all: PermissionRule[]): Permissions => ({ rules: all });

  it('know the tools that there are', () => {
    const context = { bus: undefined, agentId: '', accountId: '' } as unknown as ToolContext;
    expect(Object.keys(builtInTools(context, {}, () => 0)).sort()).toEqual([...BUILT_IN_TOOLS].sort());
  });

  it('keep a built-in tool from running, by its arguments, and name the rule to the model and in the run', async () => {
    const permissions = rules({ tool: 'bash', arguments: { command: '*rm *' }, action: 'deny' });
    const refused = await call(permissions, 'bash', { command: 'ls\nrm -r x' });
    expect(refused).toEqual({
      isError: true,
      result: expect.stringContaining('rules[0] (bash with command "*rm *") says deny'),
    });
    expect(runtime.workspace.commands).toEqual([]);
    await expect(call(permissions, 'bash', { command: 'ls' })).resolves.toMatchObject({ isError: false });
    expect(runtime.workspace.commands).toEqual(['ls']);
  });

  it('look at what the tool is about to get: defaults filled in, unknown fields gone', async () => {
    const permissions = rules({ tool: 'list_files', arguments: { recursive: 'false' }, action: 'deny' });
    await expect(call(permissions, 'list_files', {})).resolves.toMatchObject({ isError: true });
    const exact: Permissions = {
      default: 'deny',
      rules: [{ tool: 'bash', arguments: { command: 'ls' }, exact: true, action: 'allow' }],
    };
    await expect(call(exact, 'bash', { command: 'ls', unknown: 1 })).resolves.toMatchObject({ isError: false });
    await expect(call(exact, 'bash', { command: 'ls', timeout_seconds: 1 })).resolves.toMatchObject({ isError: true });
  });

  it('hold for tools of MCP servers by the names of the server', async () => {
    const names = uniqueToolNames(['odd__do.it', 'odd__do_it', `odd__${LONG}`]);
    expect(names.get(`odd__${LONG}`)).not.toContain('_read');
    const denied = rules({ tool: 'mcp:odd/do.it', action: 'deny' }, { tool: 'mcp:*/*_read', action: 'deny' });
    for (const name of ['do.it', LONG]) {
      const refused = await call(denied, names.get(`odd__${name}`) ?? '', {});
      expect(refused).toMatchObject({ isError: true, result: expect.stringContaining('says deny') });
    }
    expect(odd.called).toEqual([]);
    await expect(call(denied, cleanToolName('odd__do_it'), {})).resolves.toMatchObject({ isError: false });
    expect(odd.called).toEqual([['do_it', {}]]);
  });

  it('hold for their arguments by the names of the server', async () => {
    const denied = rules({ tool: 'mcp:odd/*', arguments: { 'größe!': 'x*' }, action: 'deny' });
    await expect(call(denied, 'odd__do_it', { gr__e_: 'xl' })).resolves.toMatchObject({ isError: true });
    await expect(call(denied, 'odd__do_it', { gr__e_: 'l' })).resolves.toMatchObject({ isError: false });
    expect(odd.called).toEqual([['do_it', { 'größe!': 'l' }]]);
  });

  it('may depend on how the turn began', async () => {
    const denied = rules({ tool: 'bash', sources: ['trigger'], action: 'deny' });
    await expect(call(denied, 'bash', { command: 'a' }, { channel: 'trigger' })).resolves.toMatchObject({
      isError: true,
    });
    await expect(call(denied, 'bash', { command: 'b' })).resolves.toMatchObject({ isError: false });
    const unattended: Permissions = { ...rules({ tool: 'bash', action: 'ask' }), unattended: 'allow' };
    await expect(call(unattended, 'bash', { command: 'c' }, { channel: 'schedule' })).resolves.toMatchObject({
      isError: false,
    });
    expect(runtime.workspace.commands).toEqual(['b', 'c']);
  });
});
