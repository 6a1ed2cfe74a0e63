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
