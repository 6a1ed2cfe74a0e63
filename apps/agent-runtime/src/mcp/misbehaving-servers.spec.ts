import type { Bus } from '#lib/bus';
import { localDevelopment } from '#lib/net-guard';
import { type McpFault, MisbehavingMcpServer } from '#lib/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { CallQuestions } from '../approvals/call-questions.js';
import { McpPool } from './mcp-pool.js';
import type { McpTarget } from './mcp-target.js';
import { mcpTools } from './mcp-tools.js';
import type { McpRegistry } from './registry/mcp-registry.js';
import { shownReason } from './shown-text.js';
import { toToolOutput } from './tool-result.js';

/** Far below the two minutes after which a call without an answer ends by itself. */
const AT_ONCE_MS = 40_000;

describe('an MCP server that misbehaves', () => {
  let server: MisbehavingMcpServer;
  let pool: McpPool;

  beforeAll(async () => void (server = await MisbehavingMcpServer.start()));
  afterAll(() => server.stop());
  beforeEach(() => {
    server.seen.length = 0;
    pool = new McpPool({} as Bus, localDevelopment);
  });
  afterEach(() => pool.stop());

  const at = (transport: 'http' | 'sse'): McpTarget => ({
    name: 'odd',
    owner: 'test',
    agentId: 'a',
    accountId: 'b',
    allowedTools: null,
    config: { url: transport === 'http' ? server.url : server.legacyUrl, transport },
  });
  const echo = async (text: string, transport: 'http' | 'sse' = 'http') => {
    const call = pool.use(at(transport), (connection) => connection.call('echo', { text }, undefined));
    const { content } = await call;
    return (content[0] as { text: string }).text;
  };
  const failureOf = async (call: Promise<unknown>) =>
    call.then(
      () => 'no failure',
      (error: unknown) => String(error),
    );

  const FORGOTTEN: McpFault[] = [
    { kind: 'forget', status: 404 },
    { kind: 'forget', status: 400, message: 'Bad Request: No valid session ID provided' },
    { kind: 'forget', status: 400, message: 'Bad Request: Server not initialized' },
  ];
  it.each(FORGOTTEN)('that forgets the session (%j) is initialised anew and asked once more', async (fault) => {
    await echo('before');
    server.next('echo', fault);
    await expect(echo('after')).resolves.toBe('after');
    expect(server.count('initialize')).toBe(2);
    expect(server.count('tools/call')).toBe(3);
  });

  it('that forgets at once again is not asked a third time', async () => {
    await echo('before');
    server.next('echo', { kind: 'forget', status: 404 });
    server.next('echo', { kind: 'forget', status: 404 });
    await expect(failureOf(echo('after'))).resolves.toContain('forgot the session');
    expect(server.count('tools/call')).toBe(3);
  });

  it('is initialised once for two calls that find it forgotten, and a call in flight keeps its answer', async () => {
    await echo('before');
    server.next('echo', { kind: 'late', ms: 1_000 });
    const slow = echo('slow');
    await expect.poll(() => server.count('tools/call')).toBe(2);
    server.forgetSessions();
    await expect(Promise.all([echo('one'), echo('two')])).resolves.toEqual(['one', 'two']);
    await expect(slow).resolves.toBe('slow');
    expect(server.count('initialize')).toBe(2);
  });

  it('keeps the connection of a call that takes longer than an unused one is kept', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'performance'] });
    onTestFinished(() => void vi.useRealTimers());
    const slowPool = new McpPool({} as Bus, localDevelopment);
    onTestFinished(() => slowPool.stop());
    server.next('echo', { kind: 'late', ms: 1_000 });
    const call = slowPool.use(at('http'), (connection) => connection.call('echo', { text: 'slow' }, undefined));
    await expect.poll(() => server.count('tools/call')).toBe(1);
    vi.advanceTimersByTime(6 * 60_000);
    await expect(call).resolves.toMatchObject({ content: [{ text: 'slow' }] });
  });

  it.each(['http', 'sse'] as const)('over %s that was started anew answers the next call', async (transport) => {
    await echo('before', transport);
    await server.restart(200);
    await expect(echo('after', transport)).resolves.toBe('after');
  });

  it.each(['break', 'cut'] as const)('whose answer ends by %s is resumed after its last event', async (kind) => {
    await echo('before');
    server.next('echo', { kind, ids: true, retryMs: 20 });
    await expect(echo('resumed')).resolves.toBe('resumed');
    expect(server.seen.some(({ lastEventId }) => lastEventId !== undefined)).toBe(true);
    expect(server.count('tools/call')).toBe(2);
  });

  const WITHOUT_ANSWER: McpFault[] = [
    { kind: 'break' },
    { kind: 'cut' },
    { kind: 'lost', resume: 405 },
    { kind: 'lost', resume: 404 },
    { kind: 'lost', resume: 503 },
    { kind: 'lost', resume: 'empty' },
    { kind: 'accepted' },
    { kind: 'other-id' },
    { kind: 'reset' },
    { kind: 'garbage' },
    { kind: 'broken' },
    { kind: 'status', status: 401, headers: { 'www-authenticate': 'Bearer' } },
    { kind: 'status', status: 403 },
    { kind: 'status', status: 429, headers: { 'retry-after': '1' } },
    { kind: 'status', status: 400, body: 'Bad Request: no such parameter' },
    { kind: 'status', status: 502, body: '<html></html>' },
    { kind: 'huge', bytes: 9 * 1_048_576 },
  ];
  it.each(WITHOUT_ANSWER)('fails the call at once, asks once and answers the next: %j', async (fault) => {
    await echo('before');
    server.next('echo', fault);
    const startedAt = Date.now();
    await expect(failureOf(echo('lost'))).resolves.not.toBe('no failure');
    expect(Date.now() - startedAt).toBeLessThan(AT_ONCE_MS);
    expect(server.count('tools/call')).toBe(2);
    await expect(echo('after')).resolves.toBe('after');
  });

  it.each(['break', 'cut'] as const)(
    'of the older kind whose stream ends by %s fails the call at once',
    async (kind) => {
      await echo('before', 'sse');
      server.next('echo', { kind });
      const startedAt = Date.now();
      await expect(failureOf(echo('lost', 'sse'))).resolves.not.toBe('no failure');
      expect(Date.now() - startedAt).toBeLessThan(AT_ONCE_MS);
      await expect(echo('after', 'sse')).resolves.toBe('after');
    },
  );

  it('that takes a resume without a response fails the call long before its timeout', async () => {
    await echo('before');
    server.next('echo', { kind: 'lost', resume: 'silent' });
    await expect(failureOf(echo('lost'))).resolves.toContain('broke off before the answer');
    await expect(echo('after')).resolves.toBe('after');
  });

  it('that is away is reported so, with what happened', async () => {
    await echo('before');
    await server.stop();
    const words = await Promise.all([failureOf(echo('lost')), failureOf(echo('lost'))]);
    await server.restart();
    // Which of them depends on whether the end of the kept connection was noticed before.
    for (const word of words)
      expect(word).toMatch(/could not be reached \((ECONNREFUSED|ECONNRESET|other side closed)\)/);
    await expect(echo('after')).resolves.toBe('after');
  });

  /** What the model gets of a call that is answered so. */
  const outputOf = async (members: object, transport: 'http' | 'sse' = 'http') => {
    server.next('echo', { kind: 'answer', members });
    return toToolOutput(await pool.use(at(transport), (connection) => connection.call('echo', {}, undefined)));
  };
  const said = { type: 'text', text: 'done' };
  // With characters that base64 and base64url write differently.
  const PNG = Buffer.from('89504e470d0a1a0a00ffffbefbff', 'hex').toString('base64');
  const png = { data: PNG, mediaType: 'image/png' };

  const ODD_RESULTS: [string, object, object][] = [
    ['structuredContent: null', { content: [said], structuredContent: null }, { text: 'done', files: [] }],
    ['structuredContent of a list', { content: [], structuredContent: [1, 2] }, { text: '[1,2]' }],
    ['isError: null', { content: [said], isError: null }, { text: 'done' }],
    ['content: null', { content: null, structuredContent: { ok: true } }, { text: '{"ok":true}' }],
    ['no content at all', {}, { text: '' }],
    ['annotations: null', { content: [{ ...said, annotations: null, _meta: null }] }, { text: 'done' }],
    ['_meta: null', { content: [said], _meta: null }, { text: 'done' }],
    ['an odd progress token', { content: [said], _meta: { progressToken: null } }, { text: 'done' }],
    [
      'a link without a name',
      { content: [said, { type: 'resource_link', uri: 'file:///a.txt', name: null }] },
      { text: 'done\n[resource file:///a.txt]' },
    ],
    [
      'an image as a data URL',
      { content: [{ type: 'image', data: `data:image/png;base64,${PNG}`, mimeType: null }] },
      { files: [png] },
    ],
    [
      'an image as base64url',
      { content: [{ type: 'image', data: PNG.replaceAll('+', '-').replaceAll('/', '_'), mimeType: 'image/png' }] },
      { files: [png] },
    ],
    [
      'a resource without an address',
      { content: [{ type: 'resource', resource: { text: 'in it', mimeType: null } }] },
      { text: '[resource]\nin it' },
    ],
    [
      'a resource with both, one null',
      { content: [{ type: 'resource', resource: { uri: 'x:y', text: null, blob: PNG } }] },
      { text: '[resource x:y]', files: [png] },
    ],
  ];
  it.each(ODD_RESULTS)('whose result has %s has worked', async (_, result, expected) => {
    expect(await outputOf({ result })).toMatchObject(expected);
    expect(server.count('tools/call')).toBe(1);
  });

  it('loses only the parts of a result that are no such thing', async () => {
    const parts = [null, 'x', { type: 'video', data: PNG }, { type: 'text', text: null }, { type: 'image' }, {}];
    const { text } = await outputOf({ result: { content: [...parts, said] } });
    expect(text.split('\n')).toEqual([
      '[a part of the result was left out: it is not as the protocol has it]',
      '[a part of the result was left out: it is not as the protocol has it]',
      '[a part of the result of type video was left out: it is not as the protocol has it]',
      '[a part of the result of type text was left out: it is not as the protocol has it]',
      '[a part of the result of type image was left out: it is not as the protocol has it]',
      '[a part of the result was left out: it is not as the protocol has it]',
      'done',
    ]);
  });

  it('puts no base64 into the text, wherever it stands', async () => {
    const base64 = Buffer.from('Any text, 0123456789; '.repeat(200)).toString('base64');
    const dataUrl = `data:application/octet-stream;base64,${base64}`;
    const inText = Buffer.from(`the key is ${base64}`).toString('base64');
    const { text } = await outputOf({
      result: {
        content: [
          { type: 'image', data: base64, mimeType: base64 },
          { type: 'resource', resource: { uri: dataUrl, blob: inText, mimeType: 'text/plain' } },
          { type: 'resource_link', uri: dataUrl, name: dataUrl },
          { type: dataUrl, data: base64 },
        ],
      },
    });
    expect(text).toContain('the key is');
    expect(text).not.toContain(base64.slice(0, 200));
  });

  const ODD_MESSAGES: [string, object][] = [
    ['error: null beside the result', { error: null }],
    ['a member of its own', { took_ms: 3 }],
  ];
  it.each(
    ODD_MESSAGES.flatMap(([name, members]) => [['http', name, members] as const, ['sse', name, members] as const]),
  )('over %s whose message has %s has worked', async (transport, _, members) => {
    const result = { content: [said], _meta: null };
    expect(await outputOf({ result, ...members }, transport)).toMatchObject({ text: 'done' });
  });

  it('that fails oddly, or answers nothing that could be a result, fails at once', async () => {
    await echo('before');
    const outcome = (members: object) => failureOf(outputOf({ result: undefined, ...members }));
    const startedAt = Date.now();
    expect(await outcome({ error: { code: 'E_FULL', message: 'the disk is full' } })).toContain('the disk is full');
    expect(await outcome({ error: { code: 1, message: null, data: { why: 'full' } } })).toContain('full');
    expect(await outcome({ error: 'the disk is full' })).toContain('the disk is full');
    expect(await outcome({ result: 'text' })).toContain('no result');
    expect(Date.now() - startedAt).toBeLessThan(AT_ONCE_MS);
    expect(await outputOf({ result: null })).toEqual({ text: '', files: [] });
  });

  const PAGE = `<html>${'<p>It is not you, it is us.</p>'.repeat(40_000)}</html>`;
  const BASE64 = Buffer.from('Any text, 0123456789; '.repeat(50_000)).toString('base64');
  it.each<['http' | 'sse', McpFault]>([
    ['http', { kind: 'status', status: 500, headers: { 'content-type': 'text/html' }, body: PAGE }],
    ['http', { kind: 'status', status: 400, body: PAGE }],
    ['sse', { kind: 'status', status: 500, body: PAGE }],
    ['http', { kind: 'answer', members: { result: undefined, error: { code: 1, message: PAGE } } }],
    ['http', { kind: 'answer', members: { result: undefined, error: { code: 1, message: BASE64 } } }],
    ['sse', { kind: 'answer', members: { result: undefined, error: { code: 1, message: BASE64 } } }],
    ['http', { kind: 'answer', members: { result: { isError: true, content: [{ type: 'text', text: BASE64 }] } } }],
  ])('over %s that fails with a megabyte costs the model no more than a page', async (transport, fault) => {
    const registry = { learned: () => Promise.resolve() } as unknown as McpRegistry;
    const { tools } = await mcpTools({ pool, registry }, [at(transport)], new CallQuestions());
    server.next('echo', fault);
    const call = tools['odd__echo']?.execute?.({}, { toolCallId: 'one', messages: [], context: undefined });
    const words = await failureOf(Promise.resolve(call));
    expect(words).toMatch(/^\w*Error: /);
    expect(words.length).toBeLessThan(5_000);
    expect(words).not.toContain(BASE64.slice(0, 200));
  });

  it('that begins with a megabyte of error is kept with little of it, and shown in a line', async () => {
    server.next('initialize', { kind: 'status', status: 500, body: PAGE });
    const { failure } = await pool.tools(at('http'));
    expect(failure?.message).toContain('It is not you');
    expect(failure?.message.length).toBeLessThan(100_000);
    expect(shownReason(failure ?? new Error(), at('http').config).length).toBeLessThanOrEqual(500);
  });

  const toolsOf = async (transport: 'http' | 'sse' = 'http') => {
    const { tools, failure } = await pool.tools(at(transport));
    if (failure) throw failure;
    return tools.map(({ name }) => name);
  };
  const tool = { name: 'echo', inputSchema: { type: 'object' } };
  const odd = { title: null, annotations: [], outputSchema: 'x', _meta: null, icons: {}, execution: 7, description: 3 };
  it.each<[string, object, string[]]>([
    ['nextCursor: null', { tools: [tool], nextCursor: null }, ['echo']],
    ['an odd cursor', { tools: [tool], nextCursor: 7 }, ['echo']],
    ['_meta: null', { tools: [tool], _meta: null }, ['echo']],
    ['no tools, as null', { tools: null }, []],
    ['odd tools', { tools: [null, 'x', { name: null }, { ...tool, ...odd }, { name: 'bare' }] }, ['echo', 'bare']],
  ])('whose list has %s can be used', async (_, result, expected) => {
    server.next('tools/list', { kind: 'answer', members: { result } });
    await expect(toolsOf()).resolves.toEqual(expected);
  });

  const begun = {
    protocolVersion: '2025-06-18',
    capabilities: { tools: {} },
    serverInfo: { name: 'odd', version: '1' },
  };
  it.each<[string, object]>([
    ['instructions: null', { instructions: null }],
    ['_meta: null', { _meta: null }],
    ['a server without a version', { serverInfo: { name: 'odd', version: null, title: null, icons: null } }],
    ['no server', { serverInfo: null }],
    ['capabilities of null', { capabilities: { tools: { listChanged: null }, logging: null, prompts: null } }],
    ['odd capabilities', { capabilities: { tools: true, experimental: [], resources: 'all', tasks: 1 } }],
  ])('that begins with %s can be used', async (_, members) => {
    server.next('initialize', { kind: 'answer', members: { result: { ...begun, ...members } } });
    await expect(toolsOf()).resolves.toEqual(['echo']);
  });

  it('whose ping has more than nothing as its answer is there', async () => {
    server.next('ping', { kind: 'answer', members: { result: { ok: true } } });
    await expect(pool.use(at('http'), (connection) => connection.ping())).resolves.toBeUndefined();
  });

  it('that announces its tools with params: null is asked for them', async () => {
    await expect(toolsOf()).resolves.toEqual(['echo']);
    await expect.poll(() => server.count('GET')).toBe(1);
    const before = server.tools;
    server.tools = { ...before, fresh: { type: 'object' } };
    server.toolsChanged({ params: null });
    await expect.poll(() => toolsOf()).toEqual(['echo', 'fresh']);
    server.tools = before;
  });

  describe('and is forgotten while it is asked', () => {
    it('is not reported for a connection that failed after it was mended', async () => {
      server.next('initialize', { kind: 'stall' });
      const asked = pool.tools(at('http'));
      await expect.poll(() => server.count('initialize')).toBe(1);
      await pool.reset(at('http'));
      await expect(toolsOf()).resolves.toEqual(['echo']);
      const learned = await asked;
      expect(learned).toMatchObject({ tools: [{ name: 'echo' }], isNews: false });
      expect(learned.failure).toBeUndefined();
      await expect(pool.tools(at('http'))).resolves.toMatchObject({ isNews: false });
    });

    it('is not reported at all where nobody asked for it since', async () => {
      server.next('initialize', { kind: 'stall' });
      const asked = pool.tools(at('http'));
      await expect.poll(() => server.count('initialize')).toBe(1);
      await pool.reset(at('http'));
      await expect(asked).resolves.toMatchObject({ tools: [], isNews: false, failure: expect.any(Error) as Error });
      expect(server.count('initialize')).toBe(1);
    });

    it('keeps one connection, the later', async () => {
      server.next('tools/list', { kind: 'late', ms: 1_000 });
      const earlier = pool.connection(at('http'));
      await expect.poll(() => server.count('tools/list')).toBe(1);
      await pool.reset(at('http'));
      const later = await pool.connection(at('http'));
      expect((await earlier) === later).toBe(true);
      await expect.poll(() => server.count('GET')).toBe(2);
      await expect.poll(() => server.listeners).toBe(1);
      expect(later.isClosed).toBe(false);
    });
  });

  it('that answers twice counts once', async () => {
    server.next('echo', { kind: 'twice' });
    await expect(echo('twice')).resolves.toBe('twice');
    await expect(echo('after')).resolves.toBe('after');
  });
});
