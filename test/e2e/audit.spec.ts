import { connectAs, newAccount, startRoost, TelegramPlatform, type TestRoost, until } from '#lib/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import pg from 'pg';
import { runCommand } from '#tools/admin';
import { type Mailbox, startMailbox } from '../../apps/gateway/test/mailbox.js';

interface Record_ {
  id: string;
  at: string;
  account_id: string | null;
  actor: { type: string; id: string };
  action: string;
  target: { type: string; id: string };
  fields: string[];
  request_id: string | null;
}
interface Page {
  records: Record_[];
  next_cursor: string | null;
}
/** What calls of this test return, as far as it looks. */
interface Made {
  id: string;
  uuid: string;
  code: string;
}
interface Document {
  paths: Record<string, Record<string, { operationId: string }>>;
}

const PASSWORD = 'correct horse battery';
const SECRET = 'canary-in-a-secret-7f3a';
const FILES = 'the content of an agent, as messages are: its history is the agent’s, and its volume has no transaction';

/** What leaves no record, and why. */
const NOT_AUDITED: Record<string, string> = {
  'POST /v1/agent/{id}/messages': 'a message is its own record',
  'POST /v1/agent/{id}/messages/{messageId}/read': 'a message is its own record',
  'PATCH /v1/agent/{id}/conversations/{conversationId}': 'each run records the version that answered',
  'POST /v1/agent/{id}/permissions/explain': 'says what would be decided, changes nothing',
  'POST /v1/agent/{id}/runs/{runId}/cancel': 'a run is its own record: it says that it was cancelled',
  'POST /v1/webhooks/triggers/{triggerId}': 'a webhook is recorded as an execution of its trigger',
  'POST /v1/channels/slack/{agentId}/events': 'what a platform posts becomes messages',
  'POST /v1/channels/{platform}/{botId}/webhook': 'what a platform posts becomes messages',
  'POST /v1/agent/{id}/filesystem/directories/{path}': FILES,
  'DELETE /v1/agent/{id}/filesystem/directories/{path}': FILES,
  'PATCH /v1/agent/{id}/filesystem/metadata/{path}': FILES,
  'POST /v1/agent/{id}/filesystem/operations/copy': FILES,
  'POST /v1/agent/{id}/filesystem/operations/move': FILES,
  'POST /v1/agent/{id}/filesystem/operations/delete': FILES,
  'POST /v1/agent/{id}/filesystem/operations/search': FILES,
  'POST /v1/agent/{id}/filesystem/files/{path}': FILES,
  'PUT /v1/agent/{id}/filesystem/files/{path}': FILES,
  'PATCH /v1/agent/{id}/filesystem/files/{path}': FILES,
  'DELETE /v1/agent/{id}/filesystem/files/{path}': FILES,
  'POST /v1/agent/{id}/filesystem/archive/{path}': FILES,
  'POST /auth/create_user': 'nobody’s until the email is verified, which is recorded',
  'POST /auth/resend_verification': 'sends a mail, changes nothing of an account',
  'POST /auth/forgot_password': 'sends a mail; the new password is recorded',
  'POST /auth/refresh': 'goes on with a sign-in that was recorded',
  'POST /auth/oauth/{provider}/callback':
    'needs a provider: that it records user.signed_in is tested beside it, with doubles of Google and GitHub',
  'POST /v1/mcp/servers/{id}/tools/refresh': 'asks a server for its tools; nothing that somebody set is changed',
  'POST /v1/mcp/servers/{id}/oauth/callback':
    'needs an authorization server: that it records mcp_server.authorized is tested in mcp.spec.ts, with a double',
};

describe('the audit', () => {
  let roost: TestRoost;
  let box: Mailbox;
  let telegram: TelegramPlatform;
  beforeAll(async () => {
    [box, telegram] = await Promise.all([startMailbox(), TelegramPlatform.start()]);
    roost = await startRoost({
      env: { SMTP_URL: box.url, TELEGRAM_API_BASE_URL: telegram.url, TELEGRAM_UPDATES: 'polling' },
    });
  });
  afterAll(async () => {
    await roost?.stop();
    await telegram?.stop();
    await box?.stop();
  });

  const list = async (query = '', api = roost.api) => {
    const { status, body } = await api<Page>('GET', `/v1/audit${query}`);
    expect(status, JSON.stringify(body)).toBe(200);
    return body;
  };
  const post = (path: string, body: object, token = '') =>
    roost.api<Record<string, string>>('POST', path, body, { authorization: token && `Bearer ${token}` });

  it('has a record of every change that the API can make, by whoever made it', async () => {
    const { api } = roost;
    const { body: document } = await api<Document>('GET', '/openapi.json');
    const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      ['post', 'put', 'patch', 'delete'].filter((method) => methods[method]).map((m) => `${m.toUpperCase()} ${path}`),
    );
    const done = new Set<string>();
    const make = async <B = Made>(operation: string, body: object | undefined, ids: Record<string, string> = {}) => {
      const [method = '', template = ''] = operation.split(' ');
      const path = template.replace(/\{(\w+)\}/g, (_, name: string) => ids[name] ?? `{${name}}`);
      const response = await api<B>(method, path, body);
      expect(response.status, `${operation}: ${JSON.stringify(response.body)}`).toBeLessThan(300);
      done.add(operation);
      return response.body;
    };
    /** The newest record of the action, which the last call made. */
    const expectRecord = async (action: string, target: string, fields?: unknown) => {
      const [record] = (await list(`?action=${action}&limit=1`)).records;
      expect(record, action).toMatchObject({ action, target: { id: target }, actor: { type: 'api_key' } });
      if (fields) expect(record?.fields).toEqual(fields);
    };

    const token = '7001:token-of-a-bot-as-botfather-gives-it';
    telegram.addBot(token);
    const { id } = await make('POST /v1/agent/create', {
      name: 'Robin',
      telegram_bot_token: token,
      provider_keys: { openai: SECRET },
      configuration: { model: 'demo', custom_env: { TOKEN: SECRET } },
    });
    await expectRecord(
      'agent.created',
      id,
      expect.arrayContaining(['name', 'provider_keys.openai', 'configuration.custom_env.TOKEN']),
    );
    await make('POST /v1/agent/update/{id}', { name: 'Rob', configuration: { custom_env: { OTHER: SECRET } } }, { id });
    await expectRecord('agent.updated', id, ['name', 'configuration.custom_env', 'configuration.custom_env.OTHER']);
    await make('POST /v1/agent/{id}/rollback', { version: 1 }, { id });
    await expectRecord('agent.rolled_back', id, expect.arrayContaining(['name', 'configuration.custom_env.OTHER']));
    await make('PUT /v1/agents/apply', { agents: { Robin: { description: 'Keeps the notes' } } });
    await expectRecord('agent.updated', id, ['description']);
    await make('POST /v1/agent/{id}/versions', { description: 'Keeps the list' }, { id });
    await expectRecord('agent.drafted', id, ['description']);
    await make('POST /v1/agent/{id}/pause', undefined, { id });
    await expectRecord('agent.paused', id);
    await make('POST /v1/agent/{id}/resume', undefined, { id });
    await expectRecord('agent.resumed', id);
    await make('POST /v1/agent/{id}/stop', undefined, { id });
    await expectRecord('agent.stopped', id);
    await make('POST /v1/agent/{id}/status', { status: 'active' }, { id });
    await expectRecord('agent.activated', id);
    await make('POST /v1/agent/{id}/balance', { delta: 5 }, { id });
    await expectRecord('balance.changed', id, ['delta']);
    const ask = { configuration: { permissions: { rules: [{ tool: 'bash', action: 'ask' }] } } };
    await make('POST /v1/agent/update/{id}', ask, { id });
    await make('POST /v1/agent/{id}/messages', { content: 'run: true' }, { id });
    const approvalId = await until('the agent asks', async () => {
      const { approvals } = (await api<{ approvals: Made[] }>('GET', '/v1/approvals?status=pending')).body;
      return approvals[0]?.id;
    });
    await make('POST /v1/approvals/{id}/decide', { decision: 'deny', message: SECRET }, { id: approvalId });
    await expectRecord('approval.denied', approvalId, ['decision', 'message']);
    await api('POST', `/v1/agent/${id}/messages`, { content: 'ask: Which one?', conversation_id: 'asked' });
    const questionId = await until('the agent asks a question', async () => {
      const { approvals } = (await api<{ approvals: Made[] }>('GET', '/v1/approvals?status=pending')).body;
      return approvals[0]?.id;
    });
    await make('POST /v1/approvals/{id}/answer', { answer: SECRET }, { id: questionId });
    await expectRecord('approval.answered', questionId, ['answer']);
    await make('POST /v1/agent/{id}/sessions/reset', {}, { id });
    await expectRecord('session.reset', id);

    const schedules = '/v1/agent/{id}/schedules';
    const plan = { name: 'daily', cron_expression: '0 9 * * *', timezone: 'UTC', message_template: 'hello' };
    const { uuid: scheduleId } = await make(`POST ${schedules}`, plan, { id });
    await expectRecord('schedule.created', scheduleId);
    const schedule = { id, scheduleId };
    await make(`PATCH ${schedules}/{scheduleId}`, { name: 'nightly' }, schedule);
    await expectRecord('schedule.updated', scheduleId, ['name']);
    await make(`POST ${schedules}/{scheduleId}/toggle`, {}, schedule);
    await expectRecord('schedule.updated', scheduleId, ['enabled']);
    await make(`POST ${schedules}/{scheduleId}/run`, undefined, schedule);
    await expectRecord('schedule.run', scheduleId);
    await make(`DELETE ${schedules}/{scheduleId}`, undefined, schedule);
    await expectRecord('schedule.deleted', scheduleId);

    const triggers = '/v1/agent/{id}/triggers';
    const { uuid: triggerId } = await make(`POST ${triggers}`, { name: 'hook', message_template: 'x' }, { id });
    await expectRecord('trigger.created', triggerId);
    const trigger = { id, triggerId };
    await make(`PATCH ${triggers}/{triggerId}`, { name: 'other' }, trigger);
    await expectRecord('trigger.updated', triggerId, ['name']);
    await make(`POST ${triggers}/{triggerId}/rotate-secret`, undefined, trigger);
    await expectRecord('trigger.secret_rotated', triggerId);
    await make(`POST ${triggers}/{triggerId}/test`, { payload: {} }, trigger);
    await expectRecord('trigger.tested', triggerId);
    await make(`DELETE ${triggers}/{triggerId}`, undefined, trigger);
    await expectRecord('trigger.deleted', triggerId);

    const endpoints = '/v1/webhooks/endpoints';
    const url = 'http://127.0.0.1:61999/never';
    const created = await make<{ endpoint: { id: string } }>(`POST ${endpoints}`, { url, events: ['*'] });
    const endpoint = { id: created.endpoint.id };
    await expectRecord('webhook_endpoint.created', endpoint.id);
    await make(`PATCH ${endpoints}/{id}`, { description: 'mine' }, endpoint);
    await expectRecord('webhook_endpoint.updated', endpoint.id, ['description']);
    await make(`POST ${endpoints}/{id}/rotate-secret`, undefined, endpoint);
    await expectRecord('webhook_endpoint.secret_rotated', endpoint.id);
    const delivery = await make(`POST ${endpoints}/{id}/test`, undefined, endpoint);
    await expectRecord('webhook_endpoint.tested', endpoint.id);
    await make('POST /v1/webhooks/deliveries/{id}/retry', undefined, { id: delivery.id });
    await expectRecord('webhook_delivery.retried', delivery.id);
    const since = new Date(Date.now() - 3_600_000).toISOString();
    await make(`POST ${endpoints}/{id}/replay`, { since }, endpoint);
    await expectRecord('webhook_endpoint.replayed', endpoint.id);
    await make(`DELETE ${endpoints}/{id}`, undefined, endpoint);
    await expectRecord('webhook_endpoint.deleted', endpoint.id);

    const servers = '/v1/mcp/servers';
    const server = await make(`POST ${servers}`, { name: 'tools', command: 'true', env: { TOKEN: SECRET } });
    await expectRecord('mcp_server.created', server.id, expect.arrayContaining(['env.TOKEN']));
    const at = { id: server.id };
    await make(`PUT ${servers}/{id}`, { name: 'tools', command: 'false' }, at);
    await expectRecord('mcp_server.updated', at.id);
    await make(`POST ${servers}/{id}/access`, { agent_id: id, access_mode: 'all' }, at);
    await expectRecord('mcp_access.granted', at.id, [`agent:${id}`]);
    await make(`DELETE ${servers}/{id}/access/{agentId}`, undefined, { ...at, agentId: id });
    await expectRecord('mcp_access.revoked', at.id, [`agent:${id}`]);
    await make(`DELETE ${servers}/{id}`, undefined, at);
    await expectRecord('mcp_server.deleted', at.id);

    const made = await make('POST /v1/budgets', { limit_tokens: 1_000_000, period: 'month' });
    const budget = { id: made.id };
    await expectRecord('budget.created', budget.id);
    await make('PATCH /v1/budgets/{id}', { limit_tokens: 2_000_000 }, budget);
    await expectRecord('budget.updated', budget.id, ['limit_tokens']);
    await make('DELETE /v1/budgets/{id}', undefined, budget);
    await expectRecord('budget.deleted', budget.id);

    const credential = { kind: 'bearer', token: SECRET };
    const secret = await make('POST /v1/vault/secrets', { name: 'far', hosts: ['api.example.com'], credential });
    await expectRecord('vault_secret.created', secret.id);
    const grants = '/v1/agent/{id}/vault/grants';
    const grant = await make(`POST ${grants}`, { secret_id: secret.id, env_name: 'TOKEN' }, { id });
    await expectRecord('vault_grant.created', grant.id);
    await make(`PATCH ${grants}/{grantId}`, { ask: true }, { id, grantId: grant.id });
    await expectRecord('vault_grant.updated', grant.id, ['ask']);
    await make('PATCH /v1/vault/secrets/{id}', { credential }, { id: secret.id });
    await expectRecord('vault_secret.rotated', secret.id, ['credential']);
    await make(`DELETE ${grants}/{grantId}`, undefined, { id, grantId: grant.id });
    await expectRecord('vault_grant.deleted', grant.id);
    await make('DELETE /v1/vault/secrets/{id}', undefined, { id: secret.id });
    await expectRecord('vault_secret.deleted', secret.id);

    await make('POST /auth/sign_in_links', undefined);
    expect((await list('?action=sign_in_link.created')).records[0]?.actor.type).toBe('api_key');
    const page = { 'x-roost-csrf': '1', origin: roost.url };
    const session = await api('POST', '/auth/session', { api_key: roost.apiKey }, page);
    expect(session.status, JSON.stringify(session.body)).toBe(201);
    done.add('POST /auth/session');
    const cookie = (session.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
    const begun = (await list('?action=browser_session.created')).records[0];
    expect(begun?.actor.type).toBe('api_key');
    await api('DELETE', '/auth/session', undefined, { ...page, cookie });
    done.add('DELETE /auth/session');
    expect((await list('?action=browser_session.ended')).records[0]?.target).toEqual(begun?.target);

    const newcomer = { email: 'newcomer@example.test', password: PASSWORD };
    const { account_id: accountId } = await make<{ account_id: string }>('POST /v1/admin/accounts', newcomer);
    // In the account's own audit, which operators read beside all others'.
    await make('PATCH /v1/admin/accounts/{accountId}', { agents_enabled: false }, { accountId });
    await make('PATCH /v1/admin/accounts/{accountId}/quotas', { quota: 'agents', limit: 3 }, { accountId });
    const { body: session2 } = await api<{ token: string }>('POST', '/auth/login', newcomer, { authorization: '' });
    const theirs = await api<Page>('GET', '/v1/audit', undefined, { authorization: `Bearer ${session2.token}` });
    expect(theirs.body.records.filter(({ actor }) => actor.type === 'operator').map(({ action }) => action)).toEqual([
      'quota.set',
      'account.agents_disabled',
      'account.created',
    ]);
    await make('DELETE /v1/admin/accounts/{accountId}', undefined, { accountId });

    const key = await make('POST /auth/platform_keys', { name: 'ci' });
    await expectRecord('api_key.created', key.id);
    await make('DELETE /auth/platform_keys/{keyUuid}', undefined, { keyUuid: key.id });
    await expectRecord('api_key.revoked', key.id);
    const providerKeys = operations.filter((operation) => operation.includes('provider_keys')).sort();
    await make(providerKeys.find((operation) => operation.startsWith('POST')) ?? '', {
      provider: 'openai',
      api_key: SECRET,
    });
    await expectRecord('provider_key.set', 'openai');
    await make(providerKeys.find((operation) => operation.startsWith('DELETE')) ?? '', undefined, {
      provider: 'openai',
    });
    await expectRecord('provider_key.deleted', 'openai');

    // A person on a chat platform links, writes, and unlinks.
    await until('the bot is connected', async () => {
      const { body } = await api<{ channels: { type: string; health: string }[] }>('GET', `/v1/agent/${id}/channels`);
      return body.channels.some(({ type, health }) => type === 'telegram' && health === 'connected');
    });
    const link = operations.find((operation) => /^POST .*\/link$/.test(operation)) ?? '';
    const onTelegram = { id, agentId: id, platform: 'telegram' };
    const { code } = await make(link, undefined, onTelegram);
    await expectRecord('link_code.created', id);
    await telegram.say(token, 42, `/link ${code}`);
    const linked = await until('the person is linked', async () => {
      const { body } = await api<{ binding: { id: string } | null }>('GET', `/v1/agent/${id}/telegram/status`);
      return body.binding;
    });
    expect((await list('?action=channel.linked')).records[0]).toMatchObject({
      actor: { type: 'person', id: 'telegram:42' },
      target: { type: 'agent', id },
    });
    const binding = operations.find((operation) => /^PATCH .*\/channels\//.test(operation)) ?? '';
    await make(binding, { queue_mode: 'interrupt' }, { ...onTelegram, bindingId: linked.id });
    await expectRecord('channel.updated', linked.id, ['queue_mode']);
    await telegram.say(token, 42, '/new');
    await until(
      'the reset by the person is recorded',
      async () => (await list('?action=session.reset&actor=person:telegram:42')).records.length > 0,
    );
    await make(operations.find((operation) => /^DELETE .*\/unlink$/.test(operation)) ?? '', undefined, onTelegram);
    await expectRecord('channel.unlinked', id, ['telegram']);
    await make('POST /v1/agent/delete/{id}', undefined, { id });
    await expectRecord('agent.deleted', id);

    // People, by their sign-ins.
    const email = 'ada@example.test';
    await post('/auth/create_user', { email, password: PASSWORD });
    const auth = async (name: string, body: object, bearer = '') => {
      const response = await post(`/auth/${name}`, body, bearer);
      expect(response.status, `${name}: ${JSON.stringify(response.body)}`).toBeLessThan(300);
      done.add(`POST /auth/${name}`);
      return response.body;
    };
    await auth('verify_user', { email, code: await box.code(email) });
    expect((await post('/auth/login', { email, password: 'a wrong password' })).status).toBe(401);
    const first = await auth('login', { email, password: PASSWORD });
    await auth('logout', {}, first.token);
    const second = await auth('login', { email, password: PASSWORD });
    await auth('change_password', { current_password: PASSWORD, new_password: `${PASSWORD}!` }, second.token);
    await auth('logout_everywhere', {}, second.token);
    await post('/auth/forgot_password', { email });
    const mailed = await until('the code is mailed', () => box.resetCode(email));
    await auth('reset_password', { code: mailed, new_password: PASSWORD });
    const third = await auth('login', { email, password: PASSWORD });
    const own = await roost.api<Page>('GET', '/v1/audit', undefined, { authorization: `Bearer ${third.token}` });
    expect(own.body.records.map(({ action }) => action)).toEqual([
      ...['user.signed_in', 'user.password_reset', 'user.signed_out_everywhere', 'user.password_changed'],
      ...['user.signed_in', 'user.signed_out', 'user.signed_in', 'user.sign_in_refused', 'account.created'],
    ]);
    expect(own.body.records[7]?.actor).toEqual({ type: 'person', id: 'address:127.0.0.1' });
    await auth('delete_account', { password: PASSWORD }, third.token);

    const missing = operations.filter((operation) => !done.has(operation) && !(operation in NOT_AUDITED));
    expect(missing, 'make the change above and expect its record, or list it with a reason').toEqual([]);
    const gone = Object.keys(NOT_AUDITED).filter((operation) => !operations.includes(operation));
    expect(gone, 'no longer an operation').toEqual([]);
    expect(JSON.stringify(await list('?limit=200'))).not.toContain(SECRET);
  });

  it('is read page by page without a gap, by actor, action, target and time, and by its account alone', async () => {
    const all: Record_[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page: Page = await list(`?limit=7${cursor && `&cursor=${cursor}`}`);
      all.push(...page.records);
      cursor = page.next_cursor;
    }
    expect(all.length).toBeGreaterThan(30);
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
    expect(all.map(({ at }) => at)).toEqual(
      all
        .map(({ at }) => at)
        .toSorted()
        .reverse(),
    );
    const [middle] = all.slice(20);
    if (!middle) throw new Error('no record');
    for (const [query, isIt] of [
      [`actor=${middle.actor.type}:${middle.actor.id}`, (record: Record_) => record.actor.id === middle.actor.id],
      [`actor=person`, (record: Record_) => record.actor.type === 'person'],
      [`action=${middle.action}`, (record: Record_) => record.action === middle.action],
      [`target=${middle.target.id}`, (record: Record_) => record.target.id === middle.target.id],
      [`from=${middle.at}`, (record: Record_) => record.at >= middle.at],
      [`to=${middle.at}`, (record: Record_) => record.at < middle.at],
    ] as const) {
      const found = (await list(`?limit=200&${query}`)).records.map(({ id }) => id);
      expect(found, query).toEqual(all.filter(isIt).map(({ id }) => id));
    }
    const other = await newAccount(roost);
    const theirs = (await list('', other.api)).records;
    expect(theirs.map(({ action }) => action)).toEqual(['api_key.created', 'account.created']);
    expect(theirs.map(({ actor }) => actor.type)).toEqual(['operator', 'operator']);
    // The operator reads everybody's, or one account's.
    const bus = await connectAs(roost.natsCreds, roost.natsUrl);
    try {
      const lines = (more: object, ...words: string[]) =>
        runCommand(bus, ['audit', ...words], { name: '', enableAgents: false, audit: more });
      const ofOther = await lines({}, other.email);
      expect(ofOther.map((line) => line.split('  ').slice(1, 4))).toEqual(
        theirs.map(({ actor, action }) => [other.email, `${actor.type}:${actor.id}`, action]),
      );
      const ofAll = await lines({ limit: '3' });
      expect(ofAll).toHaveLength(4);
      expect(ofAll.at(-1)).toMatch(/^more with --cursor \S+$/);
      expect(await lines({ action: 'agent.deleted' })).not.toEqual([]);
      await expect(lines({ from: 'yesterday' })).rejects.toThrow(/--from/);
    } finally {
      await bus.close();
    }
    for (const query of ['?cursor=nonsense', '?action=*', '?from=yesterday', '?limit=0', '?limit=201'])
      expect((await roost.api('GET', `/v1/audit${query}`)).status, query).toBe(400);
  });

  it('cannot be changed, not even by the role of the service that writes it', async () => {
    const client = new pg.Client({ connectionString: roost.databaseUrl });
    await client.connect();
    try {
      for (const schema of ['gateway', 'lifecycle', 'runtime', 'scheduler', 'channels', 'webhooks']) {
        await client.query(
          `INSERT INTO ${schema}.audit (actor_type, actor_id, action, target_type, target_id)
           VALUES ('system', 'x', 'a.new', 't', '1')`,
        );
        for (const statement of [
          `UPDATE ${schema}.audit SET action = 'x.y'`,
          `DELETE FROM ${schema}.audit`,
          `TRUNCATE ${schema}.audit`,
        ])
          await expect(client.query(statement), statement).rejects.toThrow(/audit records are not changed/);
      }
      await client.query(
        `INSERT INTO lifecycle.audit (at, actor_type, actor_id, action, target_type, target_id)
         VALUES (now() - interval '400 days', 'system', 'x', 'a.old', 't', '1')`,
      );
      // What retention takes is older than anything that may be looked for.
      const { rowCount } = await client.query(`DELETE FROM lifecycle.audit WHERE at < now() - interval '365 days'`);
      expect(rowCount).toBe(1);
    } finally {
      await client.end();
    }
  });
});
