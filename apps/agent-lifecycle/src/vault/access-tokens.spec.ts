import { keyringOf, Sealer } from '#lib/auth';
import { createVaultGrant, createVaultSecret, deleteVaultGrant, updateVaultSecret } from '#lib/contracts';
import { until } from '#lib/testing';
import { importSPKI, jwtVerify } from 'jose';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type LifecycleService, lifecycleService } from '../../test/lifecycle-service.js';
import { AccessTokens } from './access-tokens.js';
import { GrantApprovals } from './grant-approvals.js';
import { VaultChanges } from './vault-changes.js';
import { VaultGrantSource } from './vault-grant-source.js';
import { VaultValues } from './vault-values.js';

interface Asked {
  url: string;
  headers: IncomingHttpHeaders;
  body: string;
}

const CLIENT_SECRET = 'client-secret-of-the-test';
let service: LifecycleService;
let tokenUrl: string;
/** What the token server was asked, and answers. */
let asked: Asked[] = [];
let answer: (asked: Asked) => { status?: number; body: object };

const server = createServer((request, response) => {
  let body = '';
  request.on('data', (chunk: Buffer) => (body += chunk.toString()));
  request.on('end', () => {
    const one = { url: request.url ?? '', headers: request.headers, body };
    asked.push(one);
    const { status = 200, body: answered } = answer(one);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answered));
  });
});

beforeAll(async () => {
  service = await lifecycleService({ ROOST_BWRAP: '', ROOST_VAULT_NETWORK: 'local' });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  tokenUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.close();
  await service.stop();
});
beforeEach(() => {
  asked = [];
});

/** What one more replica of the service gives its egress process. */
function replica() {
  const values = new VaultValues(new Sealer(keyringOf(service.masterKey)));
  const tokens = new AccessTokens(service.rows, values, { ROOST_VAULT_NETWORK: 'local' } as never);
  const approvals = new GrantApprovals(service.rows, service.bus, { ROOST_VAULT_ASK_SECONDS: 0 } as never);
  return new VaultGrantSource(service.rows, values, tokens, new VaultChanges(), approvals);
}

async function granted(credential: object) {
  const { id: agentId } = await service.agent();
  const secret = await service.ask(createVaultSecret, {
    name: `s${randomUUID().replaceAll('-', '')}`,
    hosts: ['api.example.com'],
    credential: credential as never,
  });
  const grant = await service.ask(createVaultGrant, { agent_id: agentId, secret_id: secret.id, env_name: 'TOKEN' });
  return { agentId, secretId: secret.id, grantId: grant.id };
}
const oauth2 = (more: object = {}) => ({
  ...{ kind: 'oauth2', token_url: `${tokenUrl}/token`, client_id: 'a client', client_secret: CLIENT_SECRET },
  ...more,
});

describe('an oauth2 secret', () => {
  it('is a token that is fetched once for many requests of two replicas, and renewed before its end', async () => {
    const { grantId, agentId } = await granted(oauth2({ scope: 'read' }));
    answer = () => ({
      body: { access_token: `access-token-${asked.length}`, token_type: 'Bearer', expires_in: 3_600 },
    });
    const [one, other] = [replica(), replica()];
    expect(await one.grantsOf(agentId)).toMatchObject([{ id: grantId, credential: { kind: 'dynamic' } }]);
    const all = await Promise.all([1, 2, 3].flatMap(() => [one.tokenFor(grantId), other.tokenFor(grantId)]));
    expect(new Set(all.map(({ token }) => token))).toEqual(new Set(['access-token-1']));
    expect(asked).toHaveLength(1);
    expect(Object.fromEntries(new URLSearchParams(asked[0]?.body))).toEqual({
      grant_type: 'client_credentials',
      scope: 'read',
    });
    const basic = Buffer.from(`a+client:${CLIENT_SECRET}`).toString('base64');
    expect(asked[0]?.headers.authorization).toBe(`Basic ${basic}`);
    await service.rows.query(`UPDATE vault_tokens SET expires_at = now()`);
    await until('the token is old', async () => (await other.tokenFor(grantId)).token === 'access-token-2');
    const stored = await service.rows.query(`SELECT * FROM vault_tokens`);
    expect(JSON.stringify(stored)).not.toContain('access-token');
  });

  it('keeps the refresh token that each renewal brings, and uses none of them twice', async () => {
    const { grantId } = await granted(oauth2({ refresh_token: 'refresh-token-0', client_auth: 'post' }));
    answer = ({ body }) => {
      const given = new URLSearchParams(body).get('refresh_token') ?? '';
      if (given !== `refresh-token-${asked.length - 1}`) return { status: 400, body: { error: 'invalid_grant' } };
      return {
        body: {
          access_token: `access-token-${asked.length}`,
          expires_in: 1,
          refresh_token: `refresh-token-${asked.length}`,
        },
      };
    };
    const replicas = [replica(), replica()];
    await until('there were three renewals', async () => {
      await Promise.all(replicas.map((one) => one.tokenFor(grantId)));
      return asked.length >= 3;
    });
    expect(Object.fromEntries(new URLSearchParams(asked[0]?.body))).toMatchObject({
      ...{ grant_type: 'refresh_token', client_id: 'a client', client_secret: CLIENT_SECRET },
    });
  });

  describe('that has a refresh token for one use', () => {
    /** A token server that takes each refresh token once, and forgets nothing. */
    const used: string[] = [];
    beforeEach(() => {
      used.length = 0;
      answer = ({ body }) => {
        const given = new URLSearchParams(body).get('refresh_token') ?? '';
        if (used.includes(given)) return { status: 400, body: { error: 'invalid_grant' } };
        used.push(given);
        return { body: { access_token: `token-of-${given}`, expires_in: 1, refresh_token: `${given}-next` } };
      };
    });
    afterEach(() => vi.restoreAllMocks());

    it('keeps the next one when the database is away as it comes', async () => {
      const { grantId } = await granted(oauth2({ refresh_token: 'refresh-first' }));
      vi.spyOn(service.rows, 'transaction').mockRejectedValueOnce(new Error('the connection is lost'));
      const one = replica();
      expect((await one.tokenFor(grantId)).token).toBe('token-of-refresh-first');
      await until('it was renewed', async () => (await one.tokenFor(grantId)).token === 'token-of-refresh-first-next');
    });

    it('keeps the next one when its server was slow, and another replica has the lease', async () => {
      const { grantId, secretId } = await granted(oauth2({ refresh_token: 'refresh-slow' }));
      const { transaction } = service.rows;
      vi.spyOn(service.rows, 'transaction').mockImplementationOnce(async (work) => {
        await service.rows.query(
          `UPDATE vault_tokens SET lease = gen_random_uuid(), lease_until = now() + interval '1 second' WHERE secret_id = $1`,
          [secretId],
        );
        return transaction.call(service.rows, work) as never;
      });
      const one = replica();
      expect((await one.tokenFor(grantId)).token).toBe('token-of-refresh-slow');
      await until('it was renewed', async () => (await one.tokenFor(grantId)).token === 'token-of-refresh-slow-next');
    });

    it('spends none of a new value under the lease for the old one', async () => {
      const { grantId, secretId } = await granted(oauth2({ refresh_token: 'refresh-old' }));
      const { query } = service.rows;
      const spy = vi.spyOn(service.rows, 'query').mockImplementation(async (sql, values) => {
        const rows = await query.call(service.rows, sql, values);
        if (sql.includes('INSERT INTO vault_tokens')) {
          spy.mockRestore();
          const credential = oauth2({ refresh_token: 'refresh-new' }) as never;
          await service.ask(updateVaultSecret, { secret_id: secretId, credential });
        }
        return rows as never;
      });
      expect((await replica().tokenFor(grantId)).token).toBe('token-of-refresh-new');
      expect(used).toEqual(['refresh-new']);
    });
  });

  it('says why there is no token, without anything of the answer, and does not ask again at once', async () => {
    const { grantId, secretId } = await granted(oauth2());
    answer = () => ({ status: 401, body: { error: 'invalid_client', error_description: CLIENT_SECRET } });
    const one = replica();
    const refused = () =>
      expect(one.tokenFor(grantId)).rejects.toThrow(/^the token server answered 401 \(invalid_client\)$/);
    await Promise.all([refused(), refused(), refused()]);
    expect(asked).toHaveLength(1);
    // A new value is tried at once.
    answer = () => ({ body: { access_token: 'token-of-the-new-value' } });
    await service.ask(updateVaultSecret, {
      secret_id: secretId,
      credential: oauth2({ client_secret: 'another-secret' }) as never,
    });
    expect((await one.tokenFor(grantId)).token).toBe('token-of-the-new-value');
  });

  it('has no token of an old value, and none for a grant that was revoked', async () => {
    const { grantId, secretId, agentId } = await granted(oauth2());
    answer = () => ({ body: { access_token: `access-token-${asked.length}`, expires_in: 3_600 } });
    const one = replica();
    expect((await one.tokenFor(grantId)).token).toBe('access-token-1');
    await service.ask(updateVaultSecret, { secret_id: secretId, credential: oauth2() as never });
    expect((await one.tokenFor(grantId)).token).toBe('access-token-2');
    await service.ask(deleteVaultGrant, { agent_id: agentId, grant_id: grantId });
    await expect(one.tokenFor(grantId)).rejects.toThrow('the grant was revoked');
    expect(await one.grantsOf(agentId)).toEqual([]);
  });
});

it('a GitHub App signs with its key and gets a token of its installation', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2_048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  });
  const { grantId } = await granted({
    ...{ kind: 'github_app', app_id: '12345', installation_id: '678', private_key: privateKey },
    ...{ api_url: `${tokenUrl}/`, repositories: ['site'] },
  });
  const expiresAt = new Date(Date.now() + 3_600_000);
  answer = () => ({ status: 201, body: { token: 'ghs_of_the_installation', expires_at: expiresAt.toISOString() } });
  const token = await replica().tokenFor(grantId);
  expect(token.token).toBe('ghs_of_the_installation');
  expect(token.expiresAt.getTime()).toBeLessThan(expiresAt.getTime());
  expect(asked).toMatchObject([{ url: '/app/installations/678/access_tokens', body: '{"repositories":["site"]}' }]);
  const jwt = (asked[0]?.headers.authorization ?? '').replace('Bearer ', '');
  const { payload } = await jwtVerify(jwt, await importSPKI(publicKey, 'RS256'), { issuer: '12345' });
  expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBeLessThanOrEqual(600);
});

it('uses and refusals are counted by grant, with the last reason, and shown with the secret', async () => {
  const { grantId, agentId, secretId } = await granted({ kind: 'bearer', token: 'a-bearer-token' });
  const at = Date.now();
  const source = replica();
  await source.used([
    { grantId, at: at - 2_000 },
    { grantId, at },
    { grantId, at, refused: 'it was for another host' },
    { grantId: randomUUID(), at },
  ]);
  await source.used([{ grantId, at: at - 1_000 }]);
  const [grant] = await service.rows.query(`SELECT * FROM vault_grants WHERE id = $1`, [grantId]);
  expect(grant).toMatchObject({
    ...{ use_count: '3', last_used_at: new Date(at) },
    ...{ refusal_count: '1', last_refused_at: new Date(at), last_refusal: 'it was for another host' },
  });
  const [secret] = await service.rows.query(`SELECT * FROM vault_secrets WHERE id = $1`, [secretId]);
  expect(secret).toMatchObject({ last_used_at: new Date(at), last_used_by: agentId });
});
