import { apiClient, type ApiClient } from '#lib/testing';
import type pg from 'pg';
import { SMALL_ACCOUNT_KEY } from '../fill/accounts.js';
import { smallAccount, type Sizes } from '../fill/sizes.js';

/** An account of the filled database, with the agent of it that has most messages. */
export interface Tenant {
  name: 'largest' | 'small';
  api: ApiClient;
  apiKey: string;
  accountId: string;
  agentId: string;
  agents: number;
}

export async function tenantsOf(
  database: pg.Client,
  roost: { url: string; apiKey: string },
  sizes: Sizes,
): Promise<Tenant[]> {
  const tenant = async (name: Tenant['name'], n: number, apiKey: string): Promise<Tenant> => {
    const { rows } = await database.query<{ accountId: string; agentId: string; agents: number }>(
      `SELECT a.account_id AS "accountId", a.id AS "agentId",
         (SELECT count(*)::int FROM scale.agents o WHERE o.account_id = a.account_id) AS agents
       FROM scale.agents a WHERE n = $1`,
      [n],
    );
    if (!rows[0]) throw new Error('the database is not filled');
    return { name, api: apiClient(roost.url, apiKey), apiKey, ...rows[0] };
  };
  return [await tenant('largest', 1, roost.apiKey), await tenant('small', smallAccount(sizes), SMALL_ACCOUNT_KEY)];
}

/** Everything that a client reads or writes, once. Gives what was answered with an error. */
export async function walk({ api, agentId, agents }: Tenant): Promise<string[]> {
  const agent = `/v1/agent/${agentId}`;
  const failures: string[] = [];
  const ok = async <T = Record<string, unknown>>(method: string, path: string, body?: unknown): Promise<T> => {
    const answer = await api<T>(method, path, body);
    if (answer.status >= 300) failures.push(`${method} ${path} gave ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  const lastPage = Math.max(1, Math.ceil(agents / 100));
  for (const query of [
    '',
    '?sort=name&order=asc',
    '?status=paused',
    '?sort=updated_at&limit=100',
    `?limit=100&page=${lastPage}`,
  ])
    await ok('GET', `/v1/agent/list${query}`);
  await ok('GET', `${agent}`);
  await ok('GET', `${agent}/summary`);
  await ok('GET', `${agent}/ready`);
  await ok('GET', `${agent}/versions`);

  const { messages = [] } = await ok<{ messages?: { id: string }[] }>('GET', `${agent}/messages?limit=100`);
  const oldest = messages[0]?.id;
  for (const query of [
    'status=read',
    'status=pending',
    'channel=api',
    'channel=slack',
    'conversation_id=default',
    'conversation_id=c-1',
  ])
    await ok('GET', `${agent}/messages?limit=100&${query}`);
  if (oldest) {
    await ok('GET', `${agent}/messages?limit=100&before=${oldest}`);
    await ok('GET', `${agent}/messages?limit=100&after=${oldest}`);
    await ok('GET', `${agent}/messages/${oldest}`);
  }
  const { pagination } = await ok<{ pagination?: { total_pages?: number } }>('GET', `${agent}/conversations?limit=100`);
  await ok('GET', `${agent}/conversations?limit=100&page=${Math.max(1, pagination?.total_pages ?? 1)}`);

  const { runs = [] } = await ok<{ runs?: { id: string }[] }>('GET', `${agent}/runs?limit=100`);
  for (const query of ['status=failed', 'status=completed', 'source=schedule'])
    await ok('GET', `${agent}/runs?${query}`);
  if (runs[0]) {
    await ok('GET', `${agent}/runs?before=${runs.at(-1)?.id}`);
    await ok('GET', `${agent}/runs/${runs[0].id}`);
  }
  for (const group of ['day', 'agent', 'model', 'source']) await ok('GET', `/v1/usage?group_by=${group}`);
  await ok('GET', `/v1/usage?group_by=day&agent_id=${agentId}`);
  for (const path of [
    '/v1/account/quotas',
    '/v1/audit',
    '/v1/approvals',
    '/v1/approvals?status=pending',
    '/v1/budgets',
    '/v1/vault/secrets',
    '/v1/mcp/servers',
    '/auth/platform_keys',
  ])
    await ok('GET', path);
  await ok('GET', `/v1/audit?target=${agentId}`);
  await ok('GET', `${agent}/channels`);
  await ok('GET', `${agent}/vault/grants`);
  await api('GET', `${agent}/session`);

  const { schedules = [] } = await ok<{ schedules?: { id: string }[] }>('GET', `${agent}/schedules`);
  if (schedules[0]) await ok('GET', `${agent}/schedules/${schedules[0].id}/executions`);
  await ok('GET', `${agent}/triggers`);
  const { endpoints = [] } = await ok<{ endpoints?: { id: string }[] }>('GET', '/v1/webhooks/endpoints');
  for (const query of [
    '',
    '?status=pending',
    '?status=dead',
    '?event=agent.created',
    `?agent_id=${agentId}`,
    ...(endpoints[0] ? [`?endpoint_id=${endpoints[0].id}`] : []),
  ])
    await ok('GET', `/v1/webhooks/deliveries${query}`);
  const { deliveries = [] } = await ok<{ deliveries?: { id: string }[] }>('GET', '/v1/webhooks/deliveries?limit=100');
  if (deliveries[0]) {
    await ok('GET', `/v1/webhooks/deliveries/${deliveries[0].id}`);
    await ok('GET', `/v1/webhooks/deliveries?before=${deliveries.at(-1)?.id}`);
  }
  if (endpoints[0]) await ok('POST', `/v1/webhooks/endpoints/${endpoints[0].id}/test`);

  const made = await ok<{ id: string }>('POST', '/v1/agent/create', { name: 'walk' });
  const own = `/v1/agent/${made.id}`;
  await ok('POST', `/v1/agent/update/${made.id}`, { description: 'walked' });
  const sent = await ok<{ id: string }>('POST', `${own}/messages`, { content: 'hello', conversation_id: 'c-new' });
  await ok('GET', `${own}/messages/${sent.id}?wait=30`);
  const scheduled = await ok<{ id: string }>('POST', `${own}/schedules`, {
    name: 'walk',
    cron_expression: '0 3 * * *',
    message_template: 'tick',
    timezone: 'UTC',
  });
  await api('POST', `${own}/schedules/${scheduled.id}/run`);
  const again = await ok<{ id: string }>('POST', `${agent}/messages`, { content: 'hello', conversation_id: 'c-new' });
  await ok('GET', `${agent}/messages/${again.id}?wait=30`);
  await ok('POST', `/v1/agent/delete/${made.id}`);
  return failures;
}
