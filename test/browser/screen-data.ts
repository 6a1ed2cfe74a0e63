import { type TestRoost, until } from '#lib/testing';
import type { ScreenData } from './screens.js';

/** Makes what the screens show: one of each thing, with a history. */
export async function makeScreenData(roost: TestRoost, agentId: string): Promise<ScreenData> {
  const make = async (path: string, body: object) => {
    const answer = await roost.api<{ id: string }>('POST', path, body);
    if (answer.status >= 300) throw new Error(`${path}: ${JSON.stringify(answer.body)}`);
    return answer.body.id;
  };
  const agent = `/v1/agent/${agentId}`;
  await roost.api('POST', `${agent}/filesystem/files/notes.md`, { content: '# Notes\n\n- [ ] call **home**\n' });
  await roost.api('POST', `${agent}/filesystem/files/memory/index.md`, { content: '# Who is who\n\nAda likes tea.\n' });
  const scheduleId = await make(`${agent}/schedules`, {
    name: 'morning report',
    cron_expression: '0 9 * * 1-5',
    timezone: 'Europe/Berlin',
    message_template: 'It is {{date}}. Write the report of yesterday.',
  });
  await make(`${agent}/schedules/${scheduleId}/run`, {});
  const triggerId = await make(`${agent}/triggers`, {
    name: 'new issue',
    message_template: 'Issue {{payload.issue.number}}: {{payload.issue.title}}. Find out what is wrong.',
  });
  await roost.api('POST', `${agent}/triggers/${triggerId}/test`, { payload: { issue: { title: 'It squeaks' } } });
  const serverId = await make('/v1/mcp/servers', { name: 'calendar', url: 'http://127.0.0.1:61999/mcp' });
  await roost.api('POST', `/v1/mcp/servers/${serverId}/access`, { agent_id: agentId });
  // Where nobody listens: the first try has failed soon, and another follows.
  const url = 'http://127.0.0.1:61999/hook';
  const { body: made } = await roost.api<{ endpoint: { id: string } }>('POST', '/v1/webhooks/endpoints', {
    url,
    events: ['message.completed', 'message.failed', 'agent.error'],
    description: 'our chat',
  });
  const endpointId = made.endpoint.id;
  const deliveryId = await make(`/v1/webhooks/endpoints/${endpointId}/test`, {});
  await make('/v1/budgets', { limit_tokens: 90_000_000, period: 'month', timezone: 'Europe/Berlin' });
  await make(`/v1/agent/update/${agentId}`, { description: 'Answers in a line.', note: 'it was too long' });
  await make('/v1/budgets', { limit_tokens: 2_000_000, period: 'day', agent_id: agentId });
  const secretIds = [];
  for (const name of ['github', 'forge'])
    secretIds.push(
      await make('/v1/vault/secrets', {
        name,
        hosts: ['api.github.com', '*.example.com'],
        credential: { kind: 'bearer', token: 'a-token-of-the-screens' },
      }),
    );
  await make(`${agent}/vault/grants`, { secret_id: secretIds[0], env_name: 'GITHUB_TOKEN' });
  const approvalId = await waitingApproval(roost);
  const { body: account } = await roost.api<{ account_id: string }>('POST', '/v1/admin/accounts', {
    email: 'grace@example.org',
    password: 'correct horse battery',
  });
  const { body: draft } = await roost.api<{ version: number }>('POST', `${agent}/versions`, {
    system_prompt: 'Rhyme.',
  });
  const ids = { scheduleId, triggerId, serverId, endpointId, deliveryId, approvalId, draft: draft.version };
  return { ...ids, accountId: account.account_id };
}

/** Of an agent that answers by the demo model, and has to ask about its commands. */
async function waitingApproval(roost: TestRoost): Promise<string> {
  const { body: careful } = await roost.api<{ id: string }>('POST', '/v1/agent/create', {
    name: 'careful',
    configuration: { model: 'demo', permissions: { rules: [{ tool: 'bash', action: 'ask' }] } },
  });
  await roost.api('POST', `/v1/agent/${careful.id}/messages`, { content: 'run: make deploy' });
  const waiting = async () =>
    (await roost.api<{ approvals: { id: string }[] }>('GET', '/v1/approvals?status=pending')).body.approvals[0]?.id;
  await until('a call waits', async () => (await waiting()) !== undefined);
  return (await waiting()) ?? '';
}
