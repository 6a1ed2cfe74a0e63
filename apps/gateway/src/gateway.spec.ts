import { createAgent, getAgent, RoostError, sendMessage } from '#lib/contracts';
import { serve } from '#lib/rpc';
import { connectAs, startRoost, type TestRoost } from '#lib/testing';
import type { NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anAgent } from '../test/an-agent.js';
import { sql } from '../test/tenants.js';

interface ErrorBody {
  error: { code: string; details: { field?: string; reason: string }[] };
  meta: { request_id: string };
}

const agentId = anAgent.id;
describe('the gateway', () => {
  let roost: TestRoost;
  let nats: NatsConnection;
  const made: string[] = [];

  beforeAll(async () => {
    roost = await startRoost({ services: ['gateway'], env: { ROOST_RATE_LIMIT_PER_MINUTE: '200' } });
    nats = await connectAs(roost.natsCreds, roost.natsUrl);
    const fail = (error: unknown) => console.error(error);
    serve(
      nats,
      createAgent,
      createAgent.subject,
      (input) => {
        made.push(input.name);
        if (input.name === 'refused') throw new RoostError('VALIDATION_ERROR', 'no');
        return { ...anAgent, name: input.name };
      },
      fail,
    );
    serve(nats, getAgent, getAgent.subject, () => anAgent, fail);
    serve(
      nats,
      sendMessage,
      sendMessage.subject,
      () => {
        throw new RoostError('AGENT_UNAVAILABLE', 'stopped', [], 7);
      },
      fail,
    );
    await nats.flush();
  });
  afterAll(async () => {
    await nats.close();
    await roost.stop();
  });

  it('echoes the request id and names it in errors', async () => {
    const response = await roost.api<ErrorBody>('GET', '/v1/nothing', undefined, { 'x-request-id': 'mine-1' });
    expect(response.headers.get('x-request-id')).toBe('mine-1');
    expect(response.body.meta.request_id).toBe('mine-1');
  });

  it('hands on an error of a service with its Retry-After', async () => {
    const response = await roost.api<ErrorBody>('POST', `/v1/agent/${agentId}/messages`, { content: 'x' });
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('7');
  });

  it.each(['x-shinzo-api-key', 'x-api-key'])('takes the key in %s too', async (name) => {
    const ask = (key: string) =>
      roost.api('GET', `/v1/agent/${agentId}`, undefined, { authorization: '', [name]: key });
    expect((await ask(roost.apiKey)).status).toBe(200);
    expect((await ask(`roost_sk_${'x'.repeat(40)}`)).status).toBe(401);
  });

  it.each(['', ' ', '\n\t', '\u00a0\u2003\u3000', '\u200b\u2060\ufeff', '\u00ad\u3164\u2800'])(
    'refuses a message of blanks alone: %j',
    async (content) => {
      const { status, body } = await roost.api<ErrorBody>('POST', `/v1/agent/${agentId}/messages`, { content });
      expect([status, body.error.details[0]?.field]).toEqual([400, 'content']);
    },
  );

  it.each(['garbage', 'null', '-1', '99999999-9999', '/x:1', 'e'.repeat(5_000), '\u00ff'])(
    'refuses a Last-Event-ID that no stream gave: %s',
    async (id) => {
      const answer = await roost.api<ErrorBody>('GET', `/v1/agent/${agentId}/events`, undefined, {
        'last-event-id': id,
      });
      expect([answer.status, answer.body.error.details[0]?.field]).toEqual([400, 'Last-Event-ID']);
    },
  );

  describe('Idempotency-Key', () => {
    it('gives the first result again and does the work once', async () => {
      const headers = { 'idempotency-key': 'k-1' };
      const first = await roost.api('POST', '/v1/agent/create', { name: 'once' }, headers);
      const second = await roost.api('POST', '/v1/agent/create', { name: 'once' }, headers);
      expect(second.status).toBe(201);
      expect(second.body).toEqual(first.body);
      expect(second.headers.get('idempotent-replayed')).toBe('true');
      expect(made.filter((name) => name === 'once')).toHaveLength(1);
      const other = await roost.api<ErrorBody>('POST', '/v1/agent/create', { name: 'other' }, headers);
      expect([other.status, other.body.error.code]).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
    });

    it('leaves the key to the request that is mended, and says first what is wrong with one', async () => {
      const headers = { 'idempotency-key': 'k-mended' };
      const create = (body: object, more = {}) =>
        roost.api<ErrorBody>('POST', '/v1/agent/create', body, { ...headers, ...more });
      expect((await create({ nam: 'mended' })).status).toBe(400);
      expect((await create({ name: 'mended' })).status).toBe(201);
      const refused = [
        await create({ nam: 'mended' }),
        await roost.api<ErrorBody>('POST', '/v1/agent/no-id/pause', { x: 1 }, headers),
      ];
      expect(refused.map(({ body }) => body.error.code)).toEqual(['VALIDATION_ERROR', 'NOT_FOUND']);
    });

    it('keeps nothing of a caller without an account', async () => {
      const headers = { 'idempotency-key': 'k-public', authorization: '' };
      const ask = (password: string) =>
        roost.api('POST', '/auth/create_user', { email: 'ada@example.test', password }, headers);
      for (const password of ['correct horse', 'correct horse', 'another horse']) {
        const answer = await ask(password);
        expect([answer.status, answer.headers.get('idempotent-replayed')]).toEqual([201, null]);
      }
      expect(await sql(roost, `SELECT key FROM gateway.idempotency WHERE key = 'k-public'`)).toEqual([]);
    });

    it('keeps a refusal as a result', async () => {
      const headers = { 'idempotency-key': 'k-2' };
      for (let n = 0; n < 2; n++)
        expect((await roost.api('POST', '/v1/agent/create', { name: 'refused' }, headers)).status).toBe(400);
      expect(made.filter((name) => name === 'refused')).toHaveLength(1);
    });

    it('lets one of many at once through', async () => {
      const headers = { 'idempotency-key': 'k-3' };
      const answers = await Promise.all(
        Array.from({ length: 8 }, () => roost.api('POST', '/v1/agent/create', { name: 'race' }, headers)),
      );
      expect(made.filter((name) => name === 'race')).toHaveLength(1);
      expect(answers.every(({ status }) => status === 201 || status === 409)).toBe(true);
    });
  });
});
