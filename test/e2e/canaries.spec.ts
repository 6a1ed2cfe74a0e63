import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connectAs, startRoost, type TestRoost, until, logText } from '#lib/testing';
import type { NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { everyRow } from '../every-row.js';

/** One planted secret of each kind; what it is planted in is its name. */
const canaries = new Map<string, string>();
const canary = (kind: string): string => {
  const value = `canary-${kind}-${randomUUID()}`;
  canaries.set(kind, value);
  return value;
};

/** What a text gives away, plain or in an encoding that anybody undoes. */
const givenAway = (text: string): string[] =>
  [...canaries].flatMap(([kind, value]) =>
    [value, Buffer.from(value).toString('base64').replace(/=+$/, ''), Buffer.from(value).toString('hex')].some((form) =>
      text.includes(form),
    )
      ? [kind]
      : [],
  );

/** Nothing of this may leave the machine: bots are not started, models are the demo's. */
const services = ['gateway', 'agent-lifecycle', 'messaging', 'agent-runtime', 'scheduler', 'webhook-dispatch'];

describe('planted secrets', () => {
  let roost: TestRoost;
  let bus: NatsConnection;
  const answers: string[] = [];
  const published: string[] = [];

  beforeAll(async () => {
    roost = await startRoost({
      services,
      env: {
        ROOST_DEFAULT_MODEL: 'demo',
        ROOST_LOG_LEVEL: 'debug',
        GOOGLE_CLIENT_ID: 'roost',
        GOOGLE_CLIENT_SECRET: canary('oauth-client'),
        GOOGLE_ISSUER_URL: 'http://127.0.0.1:9',
        ROOST_OAUTH_REDIRECT_URL: 'http://127.0.0.1:9/back',
        ROOST_REGISTRATION: 'open',
      },
    });
    canaries.set('local-api-key', roost.apiKey);
    canaries.set('master-key', readFileSync(join(roost.dataDir, 'master-key'), 'utf8').trim());
    bus = await connectAs(roost.natsCreds, roost.natsUrl);
    // Requests between services carry secrets where they are needed; what everybody may listen to must not.
    for (const subject of ['events.>', 'live.>', 'wake.>', 'interrupt.>'])
      bus.subscribe(subject, { callback: (_, message) => void published.push(message.string()) });
    await bus.flush();
  });
  afterAll(async () => {
    await bus?.close();
    await roost?.stop();
  });

  const call = async <Body = { id: string; uuid: string }>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ) => {
    const answer = await roost.api<Body>(method, path, body, headers);
    answers.push(`${JSON.stringify(answer.body)} ${JSON.stringify([...answer.headers])}`);
    return answer;
  };
  /** A call whose answer hands a secret over, this once: the secret is planted from then on. */
  const handedOver = async (
    kind: string,
    field: string,
    path: string,
    body: object,
    headers?: Record<string, string>,
  ) => {
    const answer = await roost.api<Record<string, string>>('POST', path, body, headers);
    expect(answer.body[field], `${path}: ${JSON.stringify(answer.body)}`).toEqual(expect.any(String));
    canaries.set(kind, answer.body[field] ?? '');
    return answer.body;
  };

  it('are in no answer, log line, event or row', async () => {
    const secrets = {
      anthropic_api_key: canary('agent-key'),
      provider_keys: { openai: canary('agent-openai-key') },
      discord_bot_token: `MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.${canary('discord')}`,
      telegram_bot_token: `110201543:${canary('telegram')}`,
      slack_bot_token: {
        bot_token: `xoxb-${canary('slack-bot')}`,
        signing_secret: canary('slack-signing'),
        app_token: `xapp-${canary('slack-app')}`,
      },
      configuration: {
        model: 'demo',
        custom_env: { TOKEN: canary('env') },
        mcp_servers: {
          far: { url: 'http://127.0.0.1:1025/mcp', headers: { authorization: canary('mcp-header') } },
          near: { command: 'true', env: { TOKEN: canary('mcp-env') } },
        },
      },
    };
    const agent = (await call('POST', '/v1/agent/create', { name: 'keeper', ...secrets })).body.id;
    const base = `/v1/agent/${agent}`;
    await call('POST', '/auth/provider_keys', { provider: 'google', api_key: canary('account-key') });
    const server = await call('POST', '/v1/mcp/servers', {
      name: 'tools',
      command: 'true',
      env: { TOKEN: canary('registry-env') },
    });
    const secret = await call('POST', '/v1/vault/secrets', {
      name: 'far',
      hosts: ['api.example.com'],
      credential: { kind: 'basic', username: 'ada', password: canary('vault') },
    });
    await call('POST', `${base}/vault/grants`, { secret_id: secret.body.id, env_name: 'FAR' });
    // Answers are kept for the key's second use.
    const once = { 'idempotency-key': 'platform-key' };
    await handedOver('platform-key', 'key', '/auth/platform_keys', { name: 'ci' }, once);
    await handedOver('trigger', 'webhook_secret', `${base}/triggers`, { name: 't', message_template: 'x' });
    const hook = { url: `${roost.url}/hook`, events: ['*'] };
    await handedOver('webhook', 'secret', '/v1/webhooks/endpoints', hook);
    const user = { email: 'ada@example.test', password: canary('password') };
    await call('POST', '/auth/create_user', user, { authorization: '' });
    const code = await until(
      'the code is logged',
      async () => /"verificationCode":"(\d{6})"/.exec(await logOf(roost))?.[1],
    );
    await call('POST', '/auth/verify_user', { email: user.email, code }, { authorization: '' });
    const signedIn = await handedOver('token', 'token', '/auth/login', user, {
      authorization: '',
      'idempotency-key': 'in',
    });
    canaries.set('refresh-token', signedIn['refresh_token'] ?? '');

    // Everything is used, changed, listed, and refused.
    const sent = await call('POST', `${base}/messages`, { content: 'list files' });
    await call('GET', `${base}/messages/${sent.body.id}?wait=60`);
    for (const path of ['', '/summary', '/ready', '/messages', '/conversations', '/schedules', '/triggers'])
      await call('GET', `${base}${path}`);
    for (const path of ['/v1/agent/list', '/v1/mcp/servers', `/v1/mcp/servers/${server.body.id}`, '/v1/models'])
      await call('GET', path);
    for (const path of ['/auth/provider_keys', '/auth/platform_keys', '/auth/fetch_user', '/v1/webhooks/endpoints'])
      await call('GET', path);
    for (const path of ['/v1/vault/secrets', `/v1/vault/secrets/${secret.body.id}`, `${base}/vault/grants`])
      await call('GET', path);
    await call('GET', '/v1/webhooks/deliveries');
    await call('POST', `/v1/agent/update/${agent}`, secrets);
    await call('POST', `/v1/agent/update/${agent}`, { discord_bot_token: { wrong: secrets.discord_bot_token } });
    await call('POST', `/v1/agent/update/${agent}`, { no_such_field: secrets, name: 7 });
    await call('POST', '/v1/agent/create', { name: 'x', anthropic_api_key: [secrets.anthropic_api_key] });
    await call('POST', '/v1/agent/create', `{"name":"x","anthropic_api_key":"${secrets.anthropic_api_key}`, {
      'content-type': 'application/json',
    });
    await call('POST', '/auth/login', { ...user, password: `${user.password}x` }, { authorization: '' });
    await call('GET', '/auth/fetch_user', undefined, { authorization: `Bearer ${signedIn['token']}x` });
    await call('GET', '/auth/oauth/google', undefined, { authorization: '' });
    await call('POST', `/v1/agent/delete/${agent}`, {});
    await until('the deletion is published', () => published.some((text) => text.includes(agent)));

    for (const answer of answers) expect(givenAway(answer), answer.slice(0, 2_000)).toEqual([]);
    for (const text of published) expect(givenAway(text), text.slice(0, 2_000)).toEqual([]);
    for (const line of (await logOf(roost)).split('\n')) expect(givenAway(line), line.slice(0, 2_000)).toEqual([]);
    const rows = await everyRow(roost.databaseUrl);
    for (const { table, text } of rows) expect(givenAway(text), `${table}: ${text.slice(0, 2_000)}`).toEqual([]);
    console.log(
      `canaries: ${canaries.size} secrets in none of ${answers.length} answers, ${published.length} messages, ${rows.length} rows and the log`,
    );
    expect(rows.length).toBeGreaterThan(20);
  });
});

const logOf = (roost: TestRoost) => logText(join(roost.dataDir, 'roost.log'));
