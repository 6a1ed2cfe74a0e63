import type { Bus } from '#lib/bus';
import { localDevelopment } from '#lib/net-guard';
import { type McpFault, MisbehavingMcpServer } from '#lib/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { McpPool } from './mcp-pool.js';
import type { McpTarget } from './mcp-target.js';

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

  it('that answers twice counts once', async () => {
    server.next('echo', { kind: 'twice' });
    await expect(echo('twice')).resolves.toBe('twice');
    await expect(echo('after')).resolves.toBe('after');
  });
});
