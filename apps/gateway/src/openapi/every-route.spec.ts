import { createAgent, RoostError } from '#lib/contracts';
import { serve } from '#lib/bus';
import { startRoost, type TestRoost } from '#lib/testing';
import { connect, credsAuthenticator, type NatsConnection } from '@nats-io/transport-node';
import { METHOD_METADATA } from '@nestjs/common/constants.js';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { controllers } from '../gateway.module.js';
import { ENDPOINT } from '../http/endpoint.js';

interface Operation {
  security: object[];
  responses: Record<string, { content?: object }>;
  requestBody?: { content: Record<string, object> };
}
interface Document {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
}
interface ErrorBody {
  success: boolean;
  error: { code: string };
  meta: { request_id: string };
}

const unknownId = '01890000-0000-7000-8000-00000000dead';
const otherId = '01890000-0000-7000-8000-00000000beef';
/** Routes whose caller is known by something else than an account: a signature, or nothing at all. */
const isOpen = (operation: Operation) => operation.security.length === 0;

describe('every route', () => {
  let roost: TestRoost;
  let nats: NatsConnection;
  let document: Document;
  const operations = () =>
    Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
    );

  beforeAll(async () => {
    roost = await startRoost({ services: ['gateway'], env: { ROOST_RATE_LIMIT_PER_MINUTE: '100000' } });
    nats = await connect({
      servers: roost.natsUrl,
      authenticator: credsAuthenticator(new TextEncoder().encode(roost.natsCreds)),
    });
    // A house in which nobody owns anything: what reaches a service is answered NOT_FOUND.
    for (const prefix of ['lifecycle', 'messaging', 'runtime', 'scheduler', 'webhooks', 'channels'])
      serve(
        nats,
        createAgent,
        `${prefix}.>`,
        () => {
          throw new RoostError('NOT_FOUND', 'there is no such thing');
        },
        () => undefined,
      );
    await nats.flush();
    document = (await roost.api<Document>('GET', '/openapi.json')).body;
  });
  afterAll(async () => {
    await nats?.close();
    await roost?.stop();
  });

  it('is declared: a controller has no route without its rules', () => {
    for (const controller of controllers)
      for (const name of Object.getOwnPropertyNames(controller.prototype)) {
        const method = Object.getOwnPropertyDescriptor(controller.prototype, name)?.value as unknown;
        if (typeof method !== 'function' || Reflect.getMetadata(METHOD_METADATA, method) === undefined) continue;
        expect(Reflect.getMetadata(ENDPOINT, method), `${controller.name}.${name}`).toBeDefined();
      }
  });

  it('names its rule of access and its errors in the document', () => {
    expect(document.openapi).toMatch(/^3\.1/);
    expect(operations().length).toBeGreaterThan(25);
    expect(danglingReferences(document)).toEqual([]);
    for (const { path, method, operation } of operations()) {
      const errors = Object.keys(operation.responses).filter((status) => Number(status) >= 400);
      expect(errors, `${method} ${path}`).toEqual(expect.arrayContaining(['500']));
      if (!isOpen(operation)) expect(errors, `${method} ${path}`).toEqual(expect.arrayContaining(['401']));
    }
  });

  it('refuses every identity that may not call it, with the error shape and never a 5xx', async () => {
    const featureless = await keyOfNewAccount(roost, false);
    const stranger = await keyOfNewAccount(roost, true);
    const revoked = await revokedKey(roost);
    const identities: [name: string, authorization: string, statuses: number[]][] = [
      ['nobody', '', [401]],
      ['a malformed header', 'Basic abc', [401]],
      ['an unknown key', `Bearer roost_sk_${'x'.repeat(40)}`, [401]],
      ['a revoked key', `Bearer ${revoked}`, [401]],
      ['a token that is none', 'Bearer eyJhbGciOiJub25lIn0.e30.', [401]],
      ['an account without the feature', `Bearer ${featureless}`, [403]],
      ['an account that owns nothing', `Bearer ${stranger}`, [400, 404, 415]],
    ];
    let checks = 0;
    for (const { path, method, operation } of operations()) {
      if (isOpen(operation) || path.startsWith('/auth/')) continue;
      for (const [name, authorization, statuses] of identities) {
        const isStranger = name === 'an account that owns nothing';
        if (isStranger && !path.includes('{id}')) continue;
        for (const id of [unknownId, otherId, 'nonsense', '00000000-0000-0000-0000-000000000000', '%00']) {
          const url = path
            .replace('{id}', id)
            .replace('{platform}', 'discord')
            .replace(/\{\w+\}/g, `msg_${unknownId}`);
          const body = method === 'GET' || method === 'DELETE' ? undefined : {};
          const response = await roost.api<ErrorBody>(method, url, body, { authorization });
          expect(statuses, `${name}: ${method} ${url} gave ${response.status}`).toContain(response.status);
          expect(response.body).toMatchObject({ success: false, meta: { request_id: expect.any(String) } });
          checks += 1;
          if (!path.includes('{id}')) break;
        }
      }
    }
    console.log(`${checks} checks of identities over ${operations().length} operations`);
  }, 120_000);

  it('serves its reference page from here alone', async () => {
    const page = await roost.api<string>('GET', '/docs/');
    expect(page.status).toBe(200);
    expect(page.body).toContain('openapi.json');
    expect(page.headers.get('content-security-policy')).toContain("default-src 'self'");
  });
});

function danglingReferences(document: object): string[] {
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(
    ([, reference]) => reference ?? '',
  );
  return references.filter((reference) => {
    let at: unknown = document;
    for (const step of reference.split('/').slice(1)) at = (at as Record<string, unknown> | undefined)?.[step];
    return at === undefined;
  });
}

async function keyOfNewAccount(roost: TestRoost, agentsEnabled: boolean): Promise<string> {
  const made = await roost.api<{ id: string; key: string }>('POST', '/auth/platform_keys', { name: 'other' });
  const client = new Client(roost.databaseUrl);
  await client.connect();
  await client.query(
    `WITH account AS (
       INSERT INTO gateway.accounts (id, name, agents_enabled) VALUES (gen_random_uuid(), gen_random_uuid()::text, $2)
       RETURNING id)
     UPDATE gateway.api_keys SET account_id = (SELECT id FROM account) WHERE id = $1`,
    [made.body.id, agentsEnabled],
  );
  await client.end();
  return made.body.key;
}

async function revokedKey(roost: TestRoost): Promise<string> {
  const made = await roost.api<{ id: string; key: string }>('POST', '/auth/platform_keys', { name: 'revoked' });
  await roost.api('DELETE', `/auth/platform_keys/${made.body.id}`);
  return made.body.key;
}
