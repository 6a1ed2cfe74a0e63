import { AUDITED_SERVICES } from '#lib/contracts';
import { startRoost, type TestRoost, until } from '#lib/testing';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';

/**
 * What stays of a deleted account, for a while and without content: who was deleted, so that what comes late brings
 * nothing back, and events that were published.
 */
const TOMBSTONES = [
  ...['lifecycle', 'runtime', 'scheduler', 'webhooks'].map((schema) => `${schema}.deleted_accounts`),
  ...['lifecycle.deleted_agents', 'messaging.agents', 'scheduler.agents'],
  // Who did what stays until its retention ends, also who deleted the account.
  ...AUDITED_SERVICES.map((schema) => `${schema}.audit`),
];
const CANARY = 'canary-of-a-deleted-account';

interface Made {
  id: string;
  uuid: string;
  key: string;
  token: string;
  account_id: string;
  webhook_path: string;
  endpoint: { id: string };
  error: { code: string };
}

let roost: TestRoost;
let database: Client;
beforeAll(async () => {
  roost = await startRoost();
  database = new Client(roost.databaseUrl);
  await database.connect();
});
afterAll(async () => {
  await database?.end();
  await roost?.stop();
});

/** Tables that hold something of the account, with how many rows. */
async function rowsOf(accountId: string): Promise<Record<string, number>> {
  const { rows: tables } = await database.query<{ table: string; column: string }>(
    `SELECT table_schema || '.' || table_name AS "table", column_name AS "column" FROM information_schema.columns
      WHERE column_name IN ('account_id', 'scope') AND table_schema NOT IN ('pg_catalog', 'information_schema')
      UNION ALL SELECT 'gateway.accounts', 'id'`,
  );
  const found: Record<string, number> = {};
  for (const { table, column } of tables) {
    const { rows } = await database.query<{ count: number }>(
      `SELECT count(*)::int FROM ${table} WHERE "${column}"::text = $1`,
      [accountId],
    );
    if (rows[0]?.count) found[table] = rows[0].count;
  }
  return found;
}

it('a deleted account takes everything with it, in every service', async () => {
  const user = { email: 'leaver@example.test', password: 'correct horse battery' };
  const open = { authorization: '' };
  await roost.api('POST', '/auth/create_user', user, open);
  const [waiting] = (await database.query(`SELECT password_hash FROM gateway.registrations`)).rows;
  expect(waiting).toBeDefined();
  // As the mailed code would do it.
  await database.query(
    `WITH account AS (INSERT INTO gateway.accounts (id, name, agents_enabled) VALUES (gen_random_uuid(), 'leaver', true) RETURNING id)
     INSERT INTO gateway.users (id, account_id, email, password_hash, verified_at)
     SELECT gen_random_uuid(), account.id, email, password_hash, now() FROM gateway.registrations, account`,
  );
  const { token } = (await roost.api<Made>('POST', '/auth/login', user, open)).body;
  const as = { authorization: `Bearer ${token}` };
  let made = 0;
  const make = async (path: string, body: object) => {
    const answer = await roost.api<Made>('POST', path, body, { ...as, 'idempotency-key': `${(made += 1)}` });
    expect(answer.status, `${path} ${JSON.stringify(answer.body)}`).toBeLessThan(300);
    return answer.body;
  };
  const { account_id: accountId } = (await roost.api<Made>('GET', '/auth/fetch_user', undefined, as)).body;
  const agents: string[] = [];
  for (const name of ['one', 'two', 'three'])
    agents.push((await make('/v1/agent/create', { name, configuration: { model: 'demo' } })).id);
  const [agent = ''] = agents;
  const template = { name: 'n', message_template: CANARY };
  await make(`/v1/agent/${agent}/schedules`, { ...template, cron_expression: '0 9 * * *' });
  await make(`/v1/agent/${agent}/triggers`, template);
  const { endpoint } = await make('/v1/webhooks/endpoints', { url: `${roost.url}/hook`, events: ['*'] });
  await make(`/v1/webhooks/endpoints/${endpoint.id}/test`, {});
  await make('/v1/mcp/servers', { name: 'tools', command: 'true' });
  const { key } = await make('/auth/platform_keys', { name: 'k' });
  await make('/auth/provider_keys', { provider: 'google', api_key: CANARY });
  const { id: message } = await make(`/v1/agent/${agent}/messages`, { content: CANARY });
  await roost.api('GET', `/v1/agent/${agent}/messages/${message}?wait=30`, undefined, as);
  const stream = await fetch(`${roost.url}/v1/agent/${agent}/events`, { headers: { authorization: `Bearer ${key}` } });
  expect(Object.keys(await rowsOf(accountId)).length).toBeGreaterThan(12);

  const remove = (body: object, authorization = as.authorization) =>
    roost.api<Made>('POST', '/auth/delete_account', body, { authorization });
  expect((await remove({})).status).toBe(403);
  expect((await remove({ password: 'not the password' })).status).toBe(403);
  expect((await remove({ password: user.password }, `Bearer ${key}`)).status).toBe(403);
  const begun = performance.now();
  expect((await remove({ password: user.password })).status).toBe(200);
  const last = await stream.text();
  console.log(`account deleted: its stream ended after ${Math.round(performance.now() - begun)} ms`);
  expect(last).toMatch(/event: (stream\.ended\ndata: .*account_deleted|agent\.deleted\n)/);

  for (const credential of [token, key])
    expect(
      (await roost.api('GET', '/v1/agent/list', undefined, { authorization: `Bearer ${credential}` })).status,
    ).toBe(401);
  expect((await remove({ password: user.password })).status).toBe(401);
  expect((await roost.api('POST', '/auth/login', user, open)).status).toBe(401);

  const left = async () => Object.keys(await rowsOf(accountId)).filter((table) => !TOMBSTONES.includes(table));
  await until('nothing is left', async () => (await left()).length === 0).catch(async () =>
    expect(await rowsOf(accountId)).toEqual({}),
  );
  await until('the volumes are gone', async () => {
    const { rows } = await database.query(`SELECT 1 FROM lifecycle.deleted_agents WHERE volume_removed_at IS NULL`);
    return rows.length === 0;
  });
  // A request that was under way when the account was deleted.
  await database.query(
    `INSERT INTO lifecycle.account_provider_keys (account_id, provider, sealed_key) VALUES ($1, 'google', 'late')`,
    [accountId],
  );
  await until('what came late is gone, too', async () => (await left()).length === 0);

  // The email is free again, and its next owner finds nothing.
  expect((await roost.api('POST', '/auth/create_user', user, open)).status).toBe(201);
});
