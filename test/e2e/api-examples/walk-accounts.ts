import { join } from 'node:path';
import { logText, type TestRoost, until } from '#lib/testing';
import type { Recorder } from './recorder.js';

interface Tokens {
  token: string;
  refresh_token: string;
}

/** A user from their registration to the end of their account, and the keys of the account that owns the agents. */
export async function walkAccounts(roost: TestRoost, { call, refused }: Recorder): Promise<void> {
  await call('GET', '/health/live');
  await call('GET', '/health/ready');
  await call('GET', '/.well-known/jwks.json');
  await call('GET', '/v1/account/quotas');
  const { id } = await call<{ id: string }>('POST', '/auth/platform_keys', { name: 'ci' });
  await call('GET', '/auth/platform_keys');
  await call('DELETE', `/auth/platform_keys/${id}`);
  await call('POST', '/auth/provider_keys', { provider: 'openai', api_key: 'sk-EXAMPLE' });
  await call('GET', '/auth/provider_keys');
  await call('DELETE', '/auth/provider_keys/openai');
  await call('GET', '/v1/audit');
  await call('GET', '/v1/admin/services');
  const other = { email: 'grace@example.org', password: 'correct horse battery' };
  const { account_id: accountId } = await call<{ account_id: string }>('POST', '/v1/admin/accounts', other);
  await call('GET', '/v1/admin/accounts?search=grace');
  await call('GET', `/v1/admin/accounts/${accountId}`);
  await call('PATCH', `/v1/admin/accounts/${accountId}`, { agents_enabled: false });
  await call('GET', `/v1/admin/accounts/${accountId}/quotas`);
  await call('PATCH', `/v1/admin/accounts/${accountId}/quotas`, { quota: 'agents', limit: 20 });
  await call('DELETE', `/v1/admin/accounts/${accountId}`);
  const budget = await call<{ id: string }>('POST', '/v1/budgets', { limit_tokens: 1_000_000, period: 'month' });
  await call('GET', '/v1/budgets');
  await call('GET', `/v1/budgets/${budget.id}`);
  await call('PATCH', `/v1/budgets/${budget.id}`, { limit_tokens: 2_000_000 });
  await call('DELETE', `/v1/budgets/${budget.id}`);
  const secret = await call<{ id: string }>('POST', '/v1/vault/secrets', {
    name: 'github',
    hosts: ['api.github.com'],
    methods: ['GET'],
    path_prefixes: ['/repos/acme'],
    credential: { kind: 'bearer', token: 'github_pat_EXAMPLE' },
  });
  await call('GET', '/v1/vault/secrets');
  await call('GET', `/v1/vault/secrets/${secret.id}`);
  await call('PATCH', `/v1/vault/secrets/${secret.id}`, {
    credential: { kind: 'bearer', token: 'github_pat_NEWER' },
  });
  const agent = await call<{ id: string }>('POST', '/v1/agent/create', { name: 'with a secret' });
  const grants = `/v1/agent/${agent.id}/vault/grants`;
  const grant = await call<{ id: string }>('POST', grants, { secret_id: secret.id, env_name: 'GITHUB_TOKEN' });
  await call('GET', grants);
  await call('GET', `/v1/vault/secrets/${secret.id}/grants`);
  await call('PATCH', `${grants}/${grant.id}`, { ask: true });
  await call('DELETE', `${grants}/${grant.id}`);
  await call('DELETE', `/v1/vault/secrets/${secret.id}`);
  await call('GET', '/v1/usage?group_by=model');
  await call('GET', '/auth/sign_in_methods');
  await call('POST', '/auth/sign_in_links');
  const page = { 'x-roost-csrf': '1', origin: roost.url };
  await call('POST', '/auth/session', { api_key: roost.apiKey }, page);
  await call('DELETE', '/auth/session', undefined, page);
  const open = { authorization: '' };
  const email = 'ada@example.org';
  const password = 'correct horse battery';
  /** The last of so many codes: mails are sent, and logged here, after the answer. */
  const codeNamed = (name: string, count: number) =>
    until(`the ${name} is in the log`, async () => {
      const log = await logText(join(roost.dataDir, 'roost.log'));
      return [...log.matchAll(new RegExp(`"${name}":"([^"]+)"`, 'g'))][count - 1]?.[1];
    });
  await call('POST', '/auth/create_user', { email, password }, open);
  await call('POST', '/auth/resend_verification', { email, password }, open);
  const code = await codeNamed('verificationCode', 2);
  await call('POST', '/auth/verify_user', { email, code, password }, open);
  const { refresh_token } = await call<Tokens>('POST', '/auth/login', { email, password }, open);
  let { token } = await call<Tokens>('POST', '/auth/refresh', { refresh_token }, open);
  const signedIn = () => ({ authorization: `Bearer ${token}` });
  await call('GET', '/auth/fetch_user', undefined, signedIn());
  await call('GET', '/auth/fetch_user_quota', undefined, signedIn());
  await refused('FEATURE_DISABLED', 'GET', '/v1/agent/list', undefined, signedIn());
  const better = 'a better horse battery';
  await call('POST', '/auth/change_password', { current_password: password, new_password: better }, signedIn());
  await call('POST', '/auth/forgot_password', { email }, open);
  await call(
    'POST',
    '/auth/reset_password',
    { code: await codeNamed('passwordResetCode', 1), new_password: better },
    open,
  );
  const again = async () => ({ token } = await call<Tokens>('POST', '/auth/login', { email, password: better }, open));
  await again();
  await call('POST', '/auth/logout', {}, signedIn());
  await again();
  await call('POST', '/auth/logout_everywhere', {}, signedIn());
  await again();
  await call('POST', '/auth/delete_account', { password: better }, signedIn());
}
