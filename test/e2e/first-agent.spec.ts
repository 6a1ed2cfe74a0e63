import { startRoost, type TestRoost } from '#lib/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

interface AgentBody {
  id: string;
  status: string;
}
interface MessageBody {
  id: string;
  role: string;
  status: string;
  content: string;
  error: unknown;
}
interface Answer {
  message: MessageBody;
  replies: MessageBody[];
}
interface ErrorBody {
  success: boolean;
  error: { code: string; message: string; details: { field?: string }[] };
  meta: { request_id: string; timestamp: string };
}

describe('a newcomer with curl', () => {
  let roost: TestRoost;

  beforeAll(async () => {
    roost = await startRoost();
  });
  afterAll(async () => roost.stop());

  const createAgent = async (body: object = { name: 'a' }) => {
    const created = await roost.api<AgentBody>('POST', '/v1/agent/create', body);
    expect(created.status, JSON.stringify(created.body)).toBe(201);
    return created.body.id;
  };

  const ask = async (agentId: string, content: string, more: object = {}) => {
    const sent = await roost.api<MessageBody>('POST', `/v1/agent/${agentId}/messages`, { content, ...more });
    expect(sent.status, JSON.stringify(sent.body)).toBe(201);
    expect(sent.body).toMatchObject({ role: 'user', status: 'pending', channel: 'api', queue_mode: 'collect' });
    const answer = await roost.api<Answer>('GET', `/v1/agent/${agentId}/messages/${sent.body.id}?wait=30`);
    expect(answer.status).toBe(200);
    return answer.body;
  };

  it('creates an agent, has it write a file in its sandbox and reads the file', async () => {
    const agentId = await createAgent();
    const { message, replies } = await ask(agentId, 'write hello to notes.txt');
    expect(message).toMatchObject({ status: 'read', error: null });
    expect(replies).toHaveLength(1);
    const file = await roost.api<{ path: string; content: string }>(
      'GET',
      `/v1/agent/${agentId}/filesystem/files/notes.txt`,
    );
    expect(file.body).toMatchObject({ path: '/workspace/notes.txt', content: 'hello' });
  });

  it('shows the agent no file of the host', async () => {
    const agentId = await createAgent();
    const { replies } = await ask(agentId, 'run: id; ls /; cat /etc/shadow; ls /root; env');
    const text = replies.map((reply) => reply.content).join('\n');
    expect(text).toMatch(/uid=[1-9]/);
    expect(text).toMatch(/shadow: No such file or directory|shadow: Permission denied/);
    expect(text).toMatch(/\/root'?: (No such file or directory|Permission denied)/);
    expect(text).not.toMatch(/roost_sk_|MASTER_KEY|DATABASE_URL|NATS_CREDS/);
  });

  it('counts the MCP servers of an agent: its own, and those of the registry that it may use', async () => {
    const own = { configuration: { mcp_servers: { own: { command: 'true' } } } };
    const agentId = await createAgent({ name: 'tooled', ...own });
    const server = await roost.api<AgentBody>('POST', '/v1/mcp/servers', { name: 'shared', command: 'true' });
    await roost.api('POST', `/v1/mcp/servers/${server.body.id}/access`, { agent_id: agentId });
    type Counted = { id: string; mcp_server_count: number };
    const summary = await roost.api<Counted>('GET', `/v1/agent/${agentId}/summary`);
    const list = await roost.api<{ agents: Counted[] }>('GET', '/v1/agent/list');
    const shown = await roost.api<{ mcp_servers: object[] }>('GET', `/v1/agent/${agentId}`);
    expect(summary.body.mcp_server_count).toBe(2);
    expect(list.body.agents.find(({ id }) => id === agentId)?.mcp_server_count).toBe(2);
    expect(shown.body.mcp_servers).toHaveLength(2);
  });

  it('keeps two agents apart', async () => {
    const [one, two] = await Promise.all([createAgent({ name: 'one' }), createAgent({ name: 'two' })]);
    await ask(one, 'write secret to mine.txt');
    const { replies } = await ask(two, 'run: find / -name mine.txt 2>/dev/null | wc -l');
    expect(replies[0]?.content).toMatch(/\b0\b/);
  });

  it('writes and reads files through the API', async () => {
    const agentId = await createAgent();
    const path = `/v1/agent/${agentId}/filesystem/files/dir/a.txt`;
    expect((await roost.api('POST', path, { content: 'one' })).status).toBe(201);
    expect((await roost.api<ErrorBody>('POST', path, { content: 'two' })).status).toBe(409);
    expect((await roost.api<{ content: string }>('GET', path)).body.content).toBe('one');
    expect(
      (await roost.api<ErrorBody>('GET', `/v1/agent/${agentId}/filesystem/files/..%2f..%2fetc%2fpasswd`)).status,
    ).toBe(403);
  });

  it('answers messages of one conversation in order', async () => {
    const agentId = await createAgent();
    const ids: string[] = [];
    for (let n = 0; n < 10; n++) {
      const sent = await roost.api<MessageBody>('POST', `/v1/agent/${agentId}/messages`, { content: `message ${n}` });
      ids.push(sent.body.id);
    }
    await roost.api('GET', `/v1/agent/${agentId}/messages/${ids.at(-1)}?wait=30`);
    const list = await roost.api<{ messages: MessageBody[]; has_more: boolean }>(
      'GET',
      `/v1/agent/${agentId}/messages?limit=100`,
    );
    expect(list.body.messages.filter((message) => message.role === 'user').map((message) => message.id)).toEqual(ids);
    expect(list.body.has_more).toBe(false);
  });

  describe('bad input gets the error shape', () => {
    const shape = {
      success: false,
      meta: { request_id: expect.stringMatching(/^.+$/), timestamp: expect.stringMatching(/Z$/) },
    };
    const bad: [
      name: string,
      status: number,
      code: string,
      method: string,
      path: string,
      body?: unknown,
      headers?: Record<string, string>,
    ][] = [
      [
        'malformed JSON',
        400,
        'VALIDATION_ERROR',
        'POST',
        '/v1/agent/create',
        '{"name":',
        { 'content-type': 'application/json' },
      ],
      ['an unknown field', 400, 'VALIDATION_ERROR', 'POST', '/v1/agent/create', { name: 'a', nmae: 'b' }],
      ['a wrong type', 400, 'VALIDATION_ERROR', 'POST', '/v1/agent/create', { name: 7 }],
      ['a name that is too long', 400, 'VALIDATION_ERROR', 'POST', '/v1/agent/create', { name: 'x'.repeat(101) }],
      ['an unknown id', 404, 'NOT_FOUND', 'GET', '/v1/agent/01890000-0000-7000-8000-000000000000'],
      ['an id that is none', 404, 'NOT_FOUND', 'GET', '/v1/agent/nonsense'],
      [
        'an oversized body',
        413,
        'PAYLOAD_TOO_LARGE',
        'POST',
        '/v1/agent/create',
        { name: 'a', system_prompt: 'x'.repeat(40_000_000) },
      ],
      [
        'another content type',
        415,
        'UNSUPPORTED_MEDIA_TYPE',
        'POST',
        '/v1/agent/create',
        'name=a',
        { 'content-type': 'text/csv' },
      ],
      ['no key', 401, 'UNAUTHORIZED', 'GET', '/v1/agent/list', undefined, { authorization: '' }],
      [
        'a wrong key',
        401,
        'UNAUTHORIZED',
        'GET',
        '/v1/agent/list',
        undefined,
        { authorization: 'Bearer roost_sk_wrong' },
      ],
      ['an unknown route', 404, 'NOT_FOUND', 'GET', '/v1/nothing/here'],
    ];
    it.each(bad)('%s → %i %s', async (_name, status, code, method, path, body, headers) => {
      const response = await roost.api<ErrorBody>(method, path, body, headers);
      expect(response.body).toMatchObject({ ...shape, error: { code } });
      expect(response.status).toBe(status);
      expect(JSON.stringify(response.body)).not.toMatch(/node_modules|at .*\.js|SELECT /);
    });
  });

  it('says how it is and what it offers', async () => {
    expect((await roost.api('GET', '/health/live')).status).toBe(200);
    expect((await roost.api('GET', '/health/ready')).status).toBe(200);
    const document = await roost.api<{ openapi: string; paths: object }>('GET', '/openapi.json');
    expect(document.body.openapi).toMatch(/^3\.1/);
    expect(Object.keys(document.body.paths)).toEqual(
      expect.arrayContaining(['/v1/agent/create', '/v1/agent/{id}/messages']),
    );
  });
});

describe('a service that is away', () => {
  it('gives 503 within its deadline, not a hang', async () => {
    const roost = await startRoost({ services: ['gateway'] });
    try {
      const started = Date.now();
      const response = await roost.api<ErrorBody>('POST', '/v1/agent/create', { name: 'a' });
      expect(response.status).toBe(503);
      expect(response.body.error.code).toBe('SERVICE_UNAVAILABLE');
      expect(response.headers.get('retry-after')).toMatch(/^\d+$/);
      expect(Date.now() - started).toBeLessThan(30_000);
    } finally {
      await roost.stop();
    }
  });
});
