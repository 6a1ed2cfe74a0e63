import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { TelegramPlatform, until } from '#lib/testing';
import { oauthMcpServer } from '../../doubles/oauth-mcp-server.js';
import type { Recorder } from './recorder.js';

interface Made {
  id: string;
}

export async function walkAutomation({ call, refused }: Recorder, agentId: string): Promise<void> {
  const agent = `/v1/agent/${agentId}`;
  const { id } = await call<Made>('POST', `${agent}/schedules`, {
    name: 'morning report',
    cron_expression: '0 9 * * 1-5',
    message_template: 'It is {{date}}. Write the report.',
    timezone: 'Europe/Berlin',
  });
  const schedule = `${agent}/schedules/${id}`;
  await call('GET', `${agent}/schedules`);
  const plan = `cron_expression=${encodeURIComponent('0 9 * * 1-5')}&timezone=Europe/Berlin`;
  await call('GET', `${agent}/schedules/next-runs?${plan}`);
  await call('GET', schedule);
  await call('PATCH', schedule, { cron_expression: '30 8 * * 1-5' });
  await call('POST', `${schedule}/toggle`, {});
  await call('POST', `${schedule}/run`);
  await call('GET', `${schedule}/executions`);
  const made = await call<Made & { webhook_secret: string }>('POST', `${agent}/triggers`, {
    name: 'new issue',
    message_template: 'A new issue: {{payload.issue.title}}',
  });
  const trigger = `${agent}/triggers/${made.id}`;
  await call('GET', `${agent}/triggers`);
  await call('GET', trigger);
  await call('PATCH', trigger, { name: 'issues' });
  const issue = { issue: { title: 'The door squeaks' } };
  const fire = `/v1/webhooks/triggers/${made.id}`;
  await refused('UNAUTHORIZED', 'POST', fire, issue, { authorization: '', 'x-webhook-secret': 'another' });
  await call('POST', fire, issue, { authorization: '', 'x-webhook-secret': made.webhook_secret });
  await call('POST', `${trigger}/test`, { payload: issue });
  await call('GET', `${trigger}/executions`);
  await call('POST', `${trigger}/rotate-secret`);
  await call('DELETE', trigger);
  await call('DELETE', schedule);
}

/** With a person who is linked on a double of Telegram. */
export async function walkChannels(
  { call, refused }: Recorder,
  agentId: string,
  telegram: TelegramPlatform,
): Promise<void> {
  const agent = `/v1/agent/${agentId}`;
  await refused('CHANNEL_NOT_CONFIGURED', 'POST', `${agent}/slack/link`);
  const token = '5000:token-of-a-bot-as-botfather-gives-it';
  telegram.addBot(token);
  await call('POST', `/v1/agent/update/${agentId}`, { telegram_bot_token: token });
  await until('the bot is connected', async () => {
    const { channels } = await call<{ channels: { type: string; health: string }[] }>('GET', `${agent}/channels`);
    return channels.some(({ type, health }) => type === 'telegram' && health === 'connected');
  });
  const { code } = await call<{ code: string }>('POST', `${agent}/telegram/link`);
  await telegram.say(token, 7, `/link ${code}`);
  await until('the person is linked', () => telegram.textsIn(7).some((text) => text.includes('You are talking to')));
  const { binding } = await call<{ binding: Made | null }>('GET', `${agent}/telegram/status`);
  await call('PATCH', `${agent}/channels/${binding?.id}`, { listen: 'all' });
  await call('DELETE', `${agent}/telegram/unlink`);
}

/** With a receiver, which sees what is sent to it. */
export async function walkWebhooks(recorder: Recorder, agentId: string): Promise<void> {
  const { call } = recorder;
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      const sent = JSON.parse(body) as { type: string };
      recorder.webhook(sent.type, sent);
      response.writeHead(204).end();
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  const { endpoint } = await call<{ endpoint: Made }>('POST', '/v1/webhooks/endpoints', { url, events: ['*'] });
  const path = `/v1/webhooks/endpoints/${endpoint.id}`;
  const delivery = await call<Made>('POST', `${path}/test`);
  const sent = await call<Made>('POST', `/v1/agent/${agentId}/messages`, { content: 'list files' });
  await call('GET', `/v1/agent/${agentId}/messages/${sent.id}?wait=60`);
  await call('POST', `/v1/agent/${agentId}/pause`);
  const seen = ['webhook.test', 'message.completed', 'agent.status_changed'];
  await until('the events have come', () => seen.every((type) => type in recorder.seen.webhooks));
  await until('the attempt is recorded', async () => {
    const found = await call<{ attempts: unknown[] }>('GET', `/v1/webhooks/deliveries/${delivery.id}`);
    return found.attempts.length > 0;
  });
  await call('GET', '/v1/webhooks/endpoints');
  await call('GET', path);
  await call('PATCH', path, { description: 'our chat' });
  await call('GET', '/v1/webhooks/deliveries?event=webhook.test');
  await call('POST', `/v1/webhooks/deliveries/${delivery.id}/retry`);
  await call('POST', `${path}/replay`, { since: '2026-11-24T00:00:00.000Z' });
  await call('POST', `${path}/rotate-secret`);
  await call('POST', `/v1/agent/delete/${agentId}`);
  await until('the last event has come', () => 'agent.deleted' in recorder.seen.webhooks);
  await call('DELETE', path);
  server.close().closeAllConnections();
}

/** An agent that is made from a document, changed by one, and written as one. */
export async function walkDocuments({ call }: Recorder): Promise<void> {
  const librarian = {
    description: 'Keeps the books',
    configuration: { model: 'demo', custom_env: { SHELF: '7' } },
    schedules: { 'morning list': { cron_expression: '0 9 * * 1-5', message_template: 'List the files.' } },
    triggers: { returns: { message_template: 'Returned: {{payload.title}}' } },
  };
  await call('PUT', '/v1/agents/apply', { agents: { Librarian: librarian } });
  const { objects } = await call<{ objects: Made[] }>('PUT', '/v1/agents/apply?dry_run=true', {
    agents: { Librarian: { ...librarian, system_prompt: 'Be quiet.' } },
  });
  await call('GET', `/v1/agent/${objects[0]?.id}/export`);
}

/** With a double of a server that wants OAuth. */
export async function walkMcp({ call }: Recorder, agentId: string): Promise<void> {
  const server = await oauthMcpServer();
  const servers = '/v1/mcp/servers';
  const { id } = await call<Made>('POST', servers, { name: 'calendar', url: server.url });
  const redirect = encodeURIComponent('https://app.example.org/mcp');
  const begun = await call<{ authorization_url: string; state: string }>(
    'GET',
    `${servers}/${id}/oauth/authorize?redirect_uri=${redirect}`,
  );
  const granted = await fetch(begun.authorization_url, { redirect: 'manual' });
  const code = new URL(granted.headers.get('location') ?? '').searchParams.get('code');
  await call('POST', `${servers}/${id}/oauth/callback`, { code, state: begun.state });
  await call('POST', `${servers}/${id}/tools/refresh`);
  await call('GET', `${servers}/${id}/health`);
  await call('GET', servers);
  await call('GET', `${servers}/${id}`);
  await call('POST', `${servers}/${id}/access`, { agent_id: agentId });
  await call('GET', `${servers}/${id}/access`);
  await call('DELETE', `${servers}/${id}/access/${agentId}`);
  await call('PUT', `${servers}/${id}`, { name: 'calendar', command: 'calendar-mcp' });
  await call('DELETE', `${servers}/${id}`);
  server.close();
}
