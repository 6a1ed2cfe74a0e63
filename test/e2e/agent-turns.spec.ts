import { LLMock } from '@copilotkit/aimock';
import { freePort } from '#tools/launcher';
import { startRoost, type TestRoost, until, logText } from '#lib/testing';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

/** Not written in one piece, so that no source, prompt or log holds it by itself. */
const canary = () => ['sk', 'canary', randomBytes(12).toString('hex')].join('-');
const CANARIES = { platform: canary(), agent: canary(), header: canary() };
const CUSTOM = 'readable-by-the-agent';

/** A model of Anthropic's wire format and the real sandbox, over the public API. */
describe('turns and their workspace', () => {
  const mock = new LLMock({ port: 0, logLevel: 'silent' });
  const prompts: string[] = [];
  let roost: TestRoost;

  beforeAll(async () => {
    await mock.start();
    roost = await startRoost({
      env: {
        ANTHROPIC_BASE_URL: mock.url,
        ANTHROPIC_API_KEY: CANARIES.platform,
        ROOST_DEFAULT_MODEL: 'anthropic/claude-test',
      },
    });
  });
  afterEach(() => void mock.reset());
  afterAll(async () => {
    await roost.stop();
    await mock.stop();
  });

  const createAgent = async (more: object = {}) => {
    const made = await roost.api<{ id: string }>('POST', '/v1/agent/create', { name: 'a', ...more });
    expect(made.status, JSON.stringify(made.body)).toBe(201);
    return made.body.id;
  };
  const send = async (agentId: string, content: string, more: object = {}) => {
    const sent = await roost.api<{ id: string }>('POST', `/v1/agent/${agentId}/messages`, { content, ...more });
    expect(sent.status, JSON.stringify(sent.body)).toBe(201);
    return sent.body.id;
  };
  const answerTo = async (agentId: string, messageId: string) =>
    (
      await roost.api<{ message: { error: { code: string; message: string } | null }; replies: { content: string }[] }>(
        'GET',
        `/v1/agent/${agentId}/messages/${messageId}?wait=60`,
      )
    ).body;
  const runs = (command: string, marker: string) => {
    mock.on({ predicate: (request) => (prompts.push(JSON.stringify(request.messages)), false) }, { content: '' });
    mock.on({ userMessage: marker, hasToolResult: true }, { content: 'It is done.' });
    mock.onMessage(marker, { toolCalls: [{ name: 'bash', arguments: JSON.stringify({ command }) }] });
  };

  it('end a command in the middle when the turn is interrupted: no process of it is left on the host', async () => {
    const agentId = await createAgent();
    // Background, a session of its own, deaf to SIGTERM: the ways in which a process outlives its shell.
    const marker = `97531.${Date.now()}`;
    runs(
      `trap '' TERM; sleep ${marker} & setsid sleep ${marker} & bash -c "trap '' TERM; sleep ${marker}"; sleep ${marker}`,
      'work for long',
    );
    mock.onMessage('something else', { content: 'Now I do something else.' });
    const first = await send(agentId, 'work for long');
    await until('the command and its children run', () => processesWith(marker) >= 4, { timeoutMs: 60_000 });
    const second = await send(agentId, 'something else', { queue_mode: 'interrupt', conversation_id: 'other' });
    const answered = await answerTo(agentId, second);
    expect(answered.replies.map(({ content }) => content)).toEqual(['Now I do something else.']);
    await until('every process of it is gone', () => processesWith(marker) === 0);
    expect((await answerTo(agentId, first)).replies).toEqual([]);
  });

  it('show no secret to the sandbox, the prompt, the transcript, the rows or the log', async () => {
    const agentId = await createAgent({
      session_mode: 'persistent',
      anthropic_api_key: CANARIES.agent,
      configuration: {
        custom_env: { MY_TOKEN: CUSTOM },
        mcp_servers: { away: { url: 'http://127.0.0.1:1025/mcp', headers: { authorization: CANARIES.header } } },
      },
    });
    runs(
      'env > dump; for p in /proc/[0-9]*; do cat $p/environ $p/cmdline $p/maps; done >> dump 2>/dev/null; ' +
        'find /run /etc /tmp /dev/shm /opt /workspace -xdev -type f -size -4M ! -name dump -not -path "/opt/node/*" -exec cat {} + >> dump 2>/dev/null; ' +
        'mount >> dump; wc -c dump',
      'look for secrets',
    );
    const messageId = await send(agentId, 'look for secrets');
    expect((await answerTo(agentId, messageId)).replies.map(({ content }) => content)).toEqual(['It is done.']);
    // The provider repeats the key that it refuses.
    mock.reset();
    mock.onMessage('be refused', {
      error: { message: `invalid x-api-key: ${CANARIES.agent}`, type: 'authentication_error' },
      status: 401,
    });
    const { message } = await answerTo(agentId, await send(agentId, 'be refused'));
    expect(message.error).toEqual({
      code: 'MODEL_KEY_REFUSED',
      message: "anthropic refused the agent's anthropic key: set a valid key: invalid x-api-key: ***",
    });

    const dump = await roost.api<string>('GET', `/v1/agent/${agentId}/filesystem/files/dump`, undefined, {
      accept: 'application/octet-stream',
    });
    expect(dump.status).toBe(200);
    // What is there on purpose shows that the dump saw the environment.
    expect(dump.body).toContain(CUSTOM);
    const texts = {
      sandbox: dump.body,
      prompt: prompts.join(),
      rows: await everyRow(roost.databaseUrl),
      log: await logText(join(roost.dataDir, 'roost.log')),
      api: JSON.stringify((await roost.api('GET', `/v1/agent/${agentId}`)).body),
    };
    expect(prompts.length).toBeGreaterThan(1);
    expect(texts.rows).toContain('look for secrets');
    for (const [where, text] of Object.entries(texts))
      for (const [name, secret] of Object.entries(CANARIES))
        expect({ where, name, isThere: text.includes(secret) }).toEqual({ where, name, isThere: false });
    expect(dump.body).not.toMatch(/MASTER_KEY|DATABASE_URL|postgres:\/\/|roost_sk_|NATS_ACCOUNT_SEED/);
  });

  it('list the models that can be used', async () => {
    const { status, body } = await roost.api<{ models: { id: string; is_default: boolean }[] }>('GET', '/v1/models');
    expect(status).toBe(200);
    expect(body.models.find((model) => model.is_default)).toMatchObject({ id: 'anthropic/claude-test' });
    expect(body.models.map(({ id }) => id)).toContain('demo');
  });

  it('refuse a hook with a variable that does not exist', async () => {
    const refused = await roost.api<{ error: { message: string } }>('POST', '/v1/agent/create', {
      name: 'a',
      configuration: { hook_messages: { channel_message_received: '{{sendr}}: {{content}}' } },
    });
    expect(refused.status).toBe(400);
    expect(refused.body.error.message).toContain('{{sendr}} is not a variable of this hook');
  });

  it('send a webhook about a refused key', async () => {
    const agentId = await createAgent({ anthropic_api_key: 'sk-refused' });
    mock.onMessage('be refused', { error: { message: 'no', type: 'authentication_error' }, status: 401 });
    const hook = `http://127.0.0.1:${await freePort()}/hook`;
    const endpoint = await roost.api('POST', '/v1/webhooks/endpoints', { url: hook, events: ['agent.error'] });
    expect(endpoint.status, JSON.stringify(endpoint.body)).toBe(201);
    await answerTo(agentId, await send(agentId, 'be refused'));
    await until('it is on its way', async () => {
      const list = await roost.api<{ deliveries: object[] }>('GET', `/v1/webhooks/deliveries?agent_id=${agentId}`);
      return list.body.deliveries.length === 1;
    });
  });

  it('write to somebody by themselves, and keep schedules', async () => {
    const agentId = await createAgent();
    await answerTo(agentId, await send(agentId, 'hello', { conversation_id: 'ada' }));
    mock.on({ userMessage: 'plan', hasToolResult: true }, { content: 'Planned.' });
    mock.onMessage('plan', {
      toolCalls: [
        { name: 'send_message', arguments: JSON.stringify({ to: 'ada', content: 'Tea at four.' }) },
        {
          name: 'schedule_create',
          arguments: JSON.stringify({ name: 'tea', cron: '0 16 * * *', message: 'Make tea' }),
        },
      ],
    });
    await answerTo(agentId, await send(agentId, 'plan', { conversation_id: 'grace' }));
    const list = await roost.api<{ messages: { role: string; content: string }[] }>(
      'GET',
      `/v1/agent/${agentId}/messages?conversation_id=ada`,
    );
    expect(list.body.messages.at(-1)).toMatchObject({ role: 'assistant', content: 'Tea at four.' });
    const { body } = await roost.api<{ schedules: object[] }>('GET', `/v1/agent/${agentId}/schedules`);
    expect(body.schedules).toMatchObject([{ name: 'tea', cron_expression: '0 16 * * *', enabled: true }]);
  });
});

/** Processes of this machine, those in sandboxes included, that were started with the marker. */
function processesWith(marker: string): number {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return false;
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(marker);
    } catch {
      return false; // it ended while we looked
    }
  }).length;
}

async function everyRow(url: string): Promise<string> {
  const sql = new pg.Client({ connectionString: url });
  await sql.connect();
  const { rows: tables } = await sql.query<{ schema: string; name: string }>(
    `SELECT table_schema AS schema, table_name AS name FROM information_schema.tables
     WHERE table_schema NOT IN ('pg_catalog', 'information_schema') AND table_type = 'BASE TABLE'`,
  );
  const all: unknown[] = [];
  for (const { schema, name } of tables) all.push((await sql.query(`SELECT * FROM "${schema}"."${name}"`)).rows);
  await sql.end();
  return JSON.stringify(all);
}
