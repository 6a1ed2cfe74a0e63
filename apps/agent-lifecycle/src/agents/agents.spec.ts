import { randomBytes, randomUUID } from 'node:crypto';
import {
  deleteAgent,
  getAgent,
  getAgentForTurn,
  getAgentState,
  getAgentWebhooks,
  listAgentBots,
  listAgents,
  summarizeAgent,
  updateAgent,
} from '#lib/contracts';
import { until } from '#lib/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LifecycleService, lifecycleService } from '../../test/lifecycle-service.js';

const CANARY = `canary-${randomUUID()}`;
const DISCORD_TOKEN = 'MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs';
let service: LifecycleService;

beforeAll(async () => {
  service = await lifecycleService({ ROOST_BWRAP: '' });
});
afterAll(() => service.stop());

describe('an agent', () => {
  it('is made with defaults and read back', async () => {
    const agent = await service.agent({ name: 'ann' });
    expect(agent).toMatchObject({
      name: 'ann',
      status: 'active',
      pvcSize: '1Gi',
      outputTokenBalance: 1_000_000,
      warmthWindowMs: 300_000,
      filesystemSummary: null,
      discordBotConfigured: false,
    });
    await expect(service.ask(getAgent, { agent_id: agent.id })).resolves.toEqual(agent);
    await expect(service.ask(summarizeAgent, { agent_id: agent.id })).resolves.toMatchObject({
      totalOutputTokensUsed: 0,
      messageCount: 0,
    });
  });

  it.each([
    ['configuration.webhooks.message_complete', { webhooks: { message_complete: 'https://127.0.0.1:8443/' } }],
    ['configuration.webhooks.message_failed', { webhooks: { message_failed: 'http://example.org/' } }],
    ['configuration.webhooks.agent_error', { webhooks: { agent_error: 'https://user:password@example.org/' } }],
    ['configuration.webhooks.agent_error', { webhooks: { agent_error: 'https://[::ffff:10.0.0.1]/' } }],
    ['configuration.mcp_servers.far.url', { mcp_servers: { far: { url: 'https://2852039166/mcp' } } }],
    ['configuration.mcp_servers.far.url', { mcp_servers: { far: { url: 'https://key@mcp.example.org/' } } }],
    ['configuration.mcp_servers.far.url', { mcp_servers: { far: { url: 'https://localhost:9000/mcp' } } }],
  ] as [string, object][])('is refused an address that may not be called: %s %j', async (field, configuration) => {
    const refused = { code: 'VALIDATION_ERROR', details: [{ field }] };
    await expect(service.agent({ configuration })).rejects.toMatchObject(refused);
    const agent = await service.agent();
    await expect(service.ask(updateAgent, { agent_id: agent.id, configuration })).rejects.toMatchObject(refused);
  });

  it('keeps its secrets to itself: sealed in the database, masked in every answer', async () => {
    const agent = await service.agent({
      anthropic_api_key: `${CANARY}-1`,
      discord_bot_token: `MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.${CANARY}-2`,
      slack_bot_token: { bot_token: `xoxb-${CANARY}-3`, signing_secret: `${CANARY}-4`, app_token: `xapp-${CANARY}-5` },
      configuration: {
        custom_env: { TOKEN: `${CANARY}-6` },
        mcp_servers: { far: { url: 'https://mcp.example.org', headers: { authorization: `${CANARY}-7` } } },
      },
    });
    const shown = await service.ask(getAgent, { agent_id: agent.id });
    expect(JSON.stringify([agent, shown])).not.toContain(CANARY);
    expect(shown).toMatchObject({
      discordBotConfigured: true,
      slackBotConfigured: true,
      telegramBotConfigured: false,
      providerKeysConfigured: ['anthropic'],
      configuration: { customEnv: { TOKEN: '***' }, mcpServers: { far: { headers: { authorization: '***' } } } },
      mcpServers: [{ name: 'far' }],
    });
    const everything = await service.rows.query<{ text: string }>(
      `SELECT (SELECT json_agg(a) FROM agents a)::text || (SELECT json_agg(o) FROM outbox o)::text AS text`,
    );
    expect(everything[0]?.text).toContain(agent.id);
    expect(everything[0]?.text).not.toContain(CANARY);
    const turn = await service.ask(getAgentForTurn, { agent_id: agent.id }, null);
    expect(turn).toMatchObject({
      providerKeys: { anthropic: `${CANARY}-1` },
      configuration: { customEnv: { TOKEN: `${CANARY}-6` } },
    });
  });

  it('is unknown to other accounts, with the same error as one that never existed', async () => {
    const agent = await service.agent();
    const stranger = randomUUID();
    for (const contract of [getAgent, summarizeAgent, deleteAgent, getAgentForTurn, getAgentState, getAgentWebhooks]) {
      const refusals = await Promise.all(
        [agent.id, randomUUID()].map((agent_id) =>
          service.ask(contract as typeof getAgent, { agent_id }, stranger).catch((error: unknown) => error),
        ),
      );
      expect(refusals[0]).toMatchObject({ code: 'NOT_FOUND' });
      expect(refusals[0]).toEqual(refusals[1]);
    }
    await expect(service.ask(updateAgent, { agent_id: agent.id, name: 'mine' }, stranger)).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    await expect(service.ask(getAgent, { agent_id: agent.id })).resolves.toMatchObject({ name: 'an agent' });
    await expect(service.ask(listAgents, {}, stranger)).resolves.toMatchObject({ agents: [] });
  });

  it('is updated field by field; null clears, *** stays', async () => {
    const { id } = await service.agent({
      description: 'old',
      telegram_bot_token: '110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw',
      configuration: {
        model: 'a',
        compaction: { enabled: false, instructions: 'be brief' },
        custom_env: { A: 'secret', B: 'b' },
      },
    });
    const updated = await service.ask(updateAgent, {
      agent_id: id,
      description: null,
      pvc_size: '1.5Gi',
      telegram_bot_token: null,
      configuration: {
        model: null,
        compaction: { threshold_trigger: 50_000, instructions: null },
        hook_messages: { session_end: null },
        custom_env: { A: '***', C: 'c' },
      },
    });
    expect(updated).toMatchObject({
      name: 'an agent',
      description: null,
      pvcSize: '1.5Gi',
      telegramBotConfigured: false,
    });
    const { configuration } = await service.ask(getAgentForTurn, { agent_id: id }, null);
    expect(configuration).toEqual({
      compaction: { enabled: false, thresholdTrigger: 50_000 },
      hookMessages: {},
      customEnv: { A: 'secret', C: 'c' },
    });
    await expect(service.ask(updateAgent, { agent_id: id, pvc_size: '1Gi' })).rejects.toMatchObject({
      code: 'VALIDATION_ERROR',
      details: [{ field: 'pvc_size', reason: 'shrinks' }],
    });
  });

  it('is gone after its deletion, the second time too', async () => {
    const { id } = await service.agent({ anthropic_api_key: 'k' });
    await expect(service.ask(deleteAgent, { agent_id: id })).resolves.toMatchObject({ id });
    await expect(service.ask(deleteAgent, { agent_id: id })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(service.ask(getAgent, { agent_id: id })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await service.rows.query(`SELECT 1 FROM balance_ledger WHERE agent_id = $1`, [id])).toEqual([]);
  });

  it.each(['-1', '1TB', '99Mi', '101Gi', 'lots', ''])('refuses a volume of %s', async (pvc_size) => {
    await expect(service.agent({ pvc_size })).rejects.toMatchObject({ name: expect.stringMatching(/Error/) });
  });

  it.each(['../x', '/etc/passwd', 'a/../../b', '', '/workspace', 'dir/', '.roost/x', 'a\u0000b', 'x'.repeat(256)])(
    'refuses an initial file at %j and makes no agent',
    async (path) => {
      const name = randomUUID();
      await expect(service.agent({ name, initial_files: [{ path, content: '' }] })).rejects.toThrow();
      expect(await service.rows.query(`SELECT 1 FROM agents WHERE name = $1`, [name])).toEqual([]);
    },
  );

  it('takes 10 MiB of initial files and not a byte more', async () => {
    const half = 'x'.repeat(5 * 2 ** 20);
    const files = [
      { path: 'a', content: half },
      { path: 'b', content: half },
    ];
    await expect(service.agent({ initial_files: files })).resolves.toMatchObject({ status: 'active' });
    await expect(service.agent({ initial_files: [...files, { path: 'c', content: 'x' }] })).rejects.toMatchObject({
      code: 'VALIDATION_ERROR',
      details: [{ reason: 'too_large', max: 10_485_760 }],
    });
  });

  it('is listed by page, status and order', async () => {
    const account = randomUUID();
    for (const name of ['b', 'c', 'a']) await service.agent({ name }, account);
    const list = async (query: object) =>
      (await service.ask(listAgents, query, account)).agents.map(({ name }) => name);
    expect(await list({})).toEqual(['a', 'c', 'b']);
    expect(await list({ sort: 'name', order: 'asc' })).toEqual(['a', 'b', 'c']);
    expect(await list({ sort: 'name', order: 'asc', limit: 2, page: 2 })).toEqual(['c']);
    expect(await list({ status: 'paused' })).toEqual([]);
    await expect(service.ask(listAgents, { limit: 2 }, account)).resolves.toMatchObject({
      pagination: { page: 1, limit: 2, total: 3, totalPages: 2 },
    });
  });

  it('shows bot tokens to the channels service alone', async () => {
    const { id } = await service.agent({ name: 'bot', discord_bot_token: DISCORD_TOKEN });
    const { bots } = await service.ask(listAgentBots, { limit: 500 }, null);
    expect(bots.find(({ agentId }) => agentId === id)).toEqual({
      agentId: id,
      accountId: service.account,
      name: 'bot',
      discordBotToken: DISCORD_TOKEN,
    });
    await expect(service.ask(listAgentBots, { limit: 500 })).rejects.toMatchObject({ code: 'ACCESS_DENIED' });
  });

  it('keeps its keys when the master key is changed, after which the old one is not needed', async () => {
    const { id } = await service.agent({ anthropic_api_key: 'kept' });
    const next = randomBytes(32).toString('base64');
    const [sealed] = await service.rows.query<{ id: string }>(
      `SELECT split_part(secrets, '.', 2) AS id FROM agents WHERE id = $1`,
      [id],
    );
    const old = sealed?.id ?? '';
    await service.restart({ ROOST_MASTER_KEY: next, ROOST_PREVIOUS_MASTER_KEYS: service.masterKey });
    const keyIds = async () => {
      const rows = await service.rows.query<{ id: string }>(
        `SELECT DISTINCT split_part(secrets, '.', 2) AS id FROM agents WHERE secrets IS NOT NULL`,
      );
      return rows.map(({ id }) => id);
    };
    await until('every row is sealed under the new key', async () => {
      const ids = await keyIds();
      return ids.length === 1 && !ids.includes(old);
    });
    await service.restart({ ROOST_MASTER_KEY: next });
    const { providerKeys } = await service.ask(getAgentForTurn, { agent_id: id }, null);
    expect(providerKeys).toEqual({ anthropic: 'kept' });
  });
});
