import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { keyringOf, Sealer } from '#lib/auth';
import { type TestRoost, until } from '#lib/testing';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from 'jose';
import { Client } from 'pg';

interface Made {
  id: string;
  uuid: string;
  key: string;
  token: string;
  refresh_token: string;
  endpoint: { id: string };
  deliveries: { id: string }[];
  runs: { id: string }[];
}

/** Runs SQL in a Roost's database: what no API does, such as moving a key to another account. */
export async function sql<Row>(roost: TestRoost, text: string, values: unknown[] = []): Promise<Row[]> {
  const client = new Client(roost.databaseUrl);
  await client.connect();
  try {
    return (await client.query(text, values)).rows as Row[];
  } finally {
    await client.end();
  }
}

/** The key of a new account. */
export async function keyOfNewAccount(roost: TestRoost, agentsEnabled: boolean): Promise<string> {
  const made = await roost.api<Made>('POST', '/auth/platform_keys', { name: 'other' });
  await sql(
    roost,
    `WITH account AS (
       INSERT INTO gateway.accounts (id, name, agents_enabled) VALUES (gen_random_uuid(), gen_random_uuid()::text, $2)
       RETURNING id)
     UPDATE gateway.api_keys SET account_id = (SELECT id FROM account) WHERE id = $1`,
    [made.body.id, agentsEnabled],
  );
  return made.body.key;
}

export async function revokedKey(roost: TestRoost): Promise<string> {
  const made = await roost.api<Made>('POST', '/auth/platform_keys', { name: 'revoked' });
  await roost.api('DELETE', `/auth/platform_keys/${made.body.id}`);
  return made.body.key;
}

/** The code that was last sent to the email; without a mail server it is in the log. */
export function codeInLog(roost: TestRoost, email: string, name = 'verificationCode'): Promise<string> {
  return until(`a ${name} for ${email} is in the log`, () => {
    const lines = readFileSync(join(roost.dataDir, 'roost.log'), 'utf8').split('\n');
    const sent = lines.findLast((line) => line.includes(`"email":"${email}"`) && line.includes(`"${name}"`));
    return sent && new RegExp(`"${name}":"([^"]+)"`).exec(sent)?.[1];
  });
}

/** Registers, and verifies the email. */
export async function verifiedUser(roost: TestRoost, user: { email: string; password: string }): Promise<void> {
  await roost.api('POST', '/auth/create_user', user, { authorization: '' });
  const code = await codeInLog(roost, user.email.toLowerCase());
  const { status } = await roost.api('POST', '/auth/verify_user', { email: user.email, code }, { authorization: '' });
  if (status !== 200) throw new Error(`verifying ${user.email} gave ${status}`);
}

/** A token as the version before made it, which names no sign-in. `ageSeconds` ago it was made, for an hour. */
export async function previousToken(
  roost: TestRoost,
  userId: string,
  use: 'access' | 'refresh',
  ageSeconds = 0,
): Promise<string> {
  const [user] = await sql<{ account_id: string }>(roost, `SELECT account_id FROM gateway.users WHERE id = $1`, [
    userId,
  ]);
  const { kid, key } = await earlierKey(roost);
  const made = Math.floor(Date.now() / 1_000) - ageSeconds;
  return new SignJWT({ account: user?.account_id, use })
    .setProtectedHeader({ alg: 'EdDSA', kid })
    .setSubject(userId)
    .setIssuer('roost')
    .setIssuedAt(made)
    .setExpirationTime(made + 3_600)
    .sign(key);
}

/** A key of the version before, which signed with EdDSA; one is made where that version never ran. */
async function earlierKey(roost: TestRoost) {
  const sealer = new Sealer(keyringOf(readFileSync(join(roost.dataDir, 'master-key'), 'utf8').trim()));
  const find = () =>
    sql<{ kid: string; sealed: string }>(roost, `SELECT kid, sealed_private_key AS sealed FROM gateway.signing_keys`);
  let [row] = await find();
  if (!row) {
    const pair = await generateKeyPair('EdDSA', { extractable: true });
    const publicKey = await exportJWK(pair.publicKey);
    const kid = await calculateJwkThumbprint(publicKey);
    await sql(roost, `INSERT INTO gateway.signing_keys (kid, public_key, sealed_private_key) VALUES ($1, $2, $3)`, [
      kid,
      JSON.stringify(publicKey),
      sealer.seal(JSON.stringify(await exportJWK(pair.privateKey)), `signing_keys:${kid}`),
    ]);
    [row] = await find();
  }
  const { kid, sealed } = row ?? { kid: '', sealed: '' };
  const key = await importJWK(JSON.parse(sealer.open(sealed, `signing_keys:${kid}`)) as JWK, 'EdDSA');
  const probe = await new SignJWT().setProtectedHeader({ alg: 'EdDSA', kid }).setIssuer('roost').sign(key);
  await until('the gateway has seen the key', async () => {
    await roost.api('GET', '/auth/fetch_user', undefined, { authorization: `Bearer ${probe}` });
    const { body } = await roost.api<{ keys: { kid: string }[] }>('GET', '/.well-known/jwks.json');
    return body.keys.some((published) => published.kid === kid);
  });
  return { kid, key };
}

/** The tokens of a user who has just signed in: one that is good, one whose hour is over, and one for refreshing. */
export async function tokensOfNewUser(roost: TestRoost) {
  const user = { email: 'tenant@example.test', password: 'correct horse battery' };
  await verifiedUser(roost, user);
  const [row] = await sql<{ id: string }>(roost, `SELECT id FROM gateway.users WHERE email = $1`, [user.email]);
  const { body } = await roost.api<Made>('POST', '/auth/login', user);
  const expired = await previousToken(roost, row?.id ?? '', 'access', 7_200);
  return { good: body.token, expired, refresh: body.refresh_token };
}

/** One thing of every kind, by the name its id has in paths; `{id}` by the start of the path. */
export interface Belongings {
  agent: string;
  message: string;
  run: string;
  budget: string;
  approval: string;
  schedule: string;
  trigger: string;
  endpoint: string;
  delivery: string;
  server: string;
  secret: string;
  grant: string;
  key: string;
  /** Another account, which only operators reach. */
  account: string;
}

async function otherAccount(roost: TestRoost): Promise<string> {
  const [row] = await sql<{ id: string }>(
    roost,
    `INSERT INTO gateway.accounts (id, name) VALUES (gen_random_uuid(), gen_random_uuid()::text) RETURNING id`,
  );
  return row?.id ?? '';
}

/** An approval of an agent's run, which nothing waits for. */
async function approvalOf(roost: TestRoost, agentId: string, runId: string): Promise<string> {
  const [row] = await sql<{ id: string }>(
    roost,
    `INSERT INTO messaging.approvals (id, account_id, agent_id, run_id, turn_id, conversation_id, source, message_ids, kind,
       tool, tool_call_id, arguments, hash, expires_at)
     SELECT gen_random_uuid(), account_id, agent_id, $2, $2, 'default', 'api', '[]', 'tool', 'bash', 'call', '{}',
       repeat('0', 64), now() + interval '1 day' FROM messaging.agents WHERE agent_id = $1 RETURNING id`,
    [agentId, runId],
  );
  return row?.id ?? '';
}

/** Makes one thing of every kind for the account of a key. */
export async function belongingsOf(roost: TestRoost, key: string): Promise<Belongings> {
  const authorization = `Bearer ${key}`;
  const make = async (path: string, body: object) => {
    const made = await roost.api<Made>('POST', path, body, { authorization });
    if (made.status >= 300) throw new Error(`${path} gave ${made.status}: ${JSON.stringify(made.body)}`);
    return made.body;
  };
  const agent = (await make('/v1/agent/create', { name: 'mine' })).id;
  const message = (await make(`/v1/agent/${agent}/messages`, { content: 'hello' })).id;
  const run = await until('the message has its run', async () => {
    const { body } = await roost.api<Made>('GET', `/v1/agent/${agent}/runs`, undefined, { authorization });
    return body.runs[0]?.id;
  });
  const template = { name: 'n', message_template: 'x' };
  const schedule = (await make(`/v1/agent/${agent}/schedules`, { ...template, cron_expression: '0 9 * * *' })).uuid;
  const trigger = (await make(`/v1/agent/${agent}/triggers`, template)).uuid;
  // Nothing is there: what is sent to it is a failed delivery.
  const url = `${roost.url}/hook`;
  const { endpoint } = await make('/v1/webhooks/endpoints', { url, events: ['*'] });
  await make(`/v1/webhooks/endpoints/${endpoint.id}/test`, {});
  const list = await roost.api<Made>('GET', '/v1/webhooks/deliveries', undefined, { authorization });
  const server = (await make('/v1/mcp/servers', { name: 'tools', command: 'true' })).id;
  const secret = await make('/v1/vault/secrets', {
    name: 'mine',
    hosts: ['api.example.com'],
    credential: { kind: 'bearer', token: 'a-token-of-a-tenant' },
  });
  const grant = await make(`/v1/agent/${agent}/vault/grants`, { secret_id: secret.id, env_name: 'MY_TOKEN' });
  return {
    agent,
    message,
    run,
    budget: (await make('/v1/budgets', { limit_tokens: 1_000_000_000 })).id,
    approval: await approvalOf(roost, agent, run),
    schedule,
    trigger,
    endpoint: endpoint.id,
    delivery: list.body.deliveries[0]?.id ?? '',
    server,
    secret: secret.id,
    grant: grant.id,
    key: (await make('/auth/platform_keys', { name: 'k' })).id,
    account: await otherAccount(roost),
  };
}
