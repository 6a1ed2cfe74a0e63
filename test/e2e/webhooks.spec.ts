import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startRoost, type TestRoost, until } from '#lib/testing';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

interface Endpoint {
  id: string;
  url: string;
  enabled: boolean;
  events: string[];
}
interface Created {
  endpoint: Endpoint;
  secret: string;
}
interface Delivery {
  id: string;
  status: string;
  webhook_id: string;
  attempt_count: number;
}
interface ErrorBody {
  success: boolean;
  error: { code: string; details: { field?: string; reason?: string }[] };
}

describe('webhooks over HTTP', () => {
  let roost: TestRoost;
  let server: Server;
  let url: string;
  const received: { headers: Record<string, string>; body: string }[] = [];

  beforeAll(async () => {
    server = createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (text: string) => (body += text));
      request.on('end', () => {
        received.push({ headers: request.headers as Record<string, string>, body });
        response.writeHead(204).end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
    roost = await startRoost();
  });
  afterAll(async () => {
    await roost.stop();
    server.close();
  });

  const base = '/v1/webhooks';
  const register = async (more: object = {}) => {
    const created = await roost.api<Created>('POST', `${base}/endpoints`, { url, events: ['*'], ...more });
    expect(created.status, JSON.stringify(created.body)).toBe(201);
    return created.body;
  };

  it('announces a completed message, and keeps the delivery to be read, retried and replayed', async () => {
    const agent = await roost.api<{ id: string }>('POST', '/v1/agent/create', { name: 'teller' });
    const { endpoint, secret } = await register({ events: ['message.completed'], agent_ids: [agent.body.id] });
    await roost.api('POST', `/v1/agent/${agent.body.id}/messages`, { content: 'hello' });
    const found = (count: number) =>
      until(`${count} deliveries arrived`, () => {
        const own = received.filter(({ body }) => body.includes(agent.body.id) && body.includes('message.completed'));
        return own.length >= count && own;
      });
    const [first] = await found(1);
    expect(new Webhook(secret).verify(first?.body ?? '', first?.headers ?? {})).toMatchObject({
      type: 'message.completed',
      data: { agent_id: agent.body.id, message: { content: 'hello' } },
    });

    const query = `endpoint_id=${endpoint.id}&status=succeeded&event=message.completed&agent_id=${agent.body.id}&limit=10`;
    const delivery = await until('it is recorded', async () => {
      const { status, body } = await roost.api<{ deliveries: Delivery[] }>('GET', `${base}/deliveries?${query}`);
      expect(status).toBe(200);
      return body.deliveries[0];
    });
    expect(delivery.webhook_id).toBe(first?.headers['webhook-id']);
    expect(await roost.api('GET', `${base}/deliveries/${delivery.id}`)).toMatchObject({
      status: 200,
      body: { attempts: [{ number: 1, response_status: 204, error: null }] },
    });
    expect((await roost.api('POST', `${base}/deliveries/${delivery.id}/retry`)).status).toBe(202);
    await found(2);
    const since = new Date(Date.now() - 3_600_000).toISOString();
    const replayed = await roost.api('POST', `${base}/endpoints/${endpoint.id}/replay`, { since });
    expect(replayed).toMatchObject({ status: 202, body: { replayed: 1 } });
    const all = await found(3);
    expect(new Set(all.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  });

  it('registers, lists, changes, tests, rotates and deletes an endpoint', async () => {
    const { endpoint, secret } = await register({ events: ['agent.deleted'], description: 'mine' });
    const path = `${base}/endpoints/${endpoint.id}`;
    const listed = await roost.api<{ endpoints: Endpoint[] }>('GET', `${base}/endpoints`);
    expect(listed.body.endpoints.map(({ id }) => id)).toContain(endpoint.id);
    expect(JSON.stringify(listed.body)).not.toContain(secret);
    expect(await roost.api('GET', path)).toMatchObject({ status: 200, body: { url, description: 'mine' } });
    const changed = await roost.api('PATCH', path, { description: null, events: ['agent.error'] });
    expect(changed).toMatchObject({ status: 200, body: { description: null, events: ['agent.error'] } });
    const rotated = await roost.api<Created>('POST', `${path}/rotate-secret`);
    expect(rotated.body.secret).not.toBe(secret);
    const before = received.length;
    expect((await roost.api('POST', `${path}/test`)).status).toBe(202);
    const got = await until('the test event arrives', () =>
      received.slice(before).find(({ body }) => body.includes(endpoint.id)),
    );
    for (const valid of [secret, rotated.body.secret]) new Webhook(valid).verify(got.body, got.headers);
    expect((await roost.api('PATCH', path, { enabled: false })).status).toBe(200);
    expect(await roost.api('POST', `${path}/test`)).toMatchObject({
      status: 409,
      body: { error: { code: 'CONFLICT' } },
    });
    expect((await roost.api('DELETE', path)).status).toBe(200);
    expect((await roost.api('GET', path)).status).toBe(404);
  });

  it.each([
    ['http://user:password@127.0.0.1:8080/'],
    ['http://user@example.org/'],
    ['ftp://example.org/'],
    ['http://10.0.0.1/'],
    ['http://167772161/'],
    ['http://012.0.0.1/'],
    ['http://0xa.0.0.1/'],
    ['http://10.0.0.1./'],
    ['http://１０.0.0.1/'],
    ['http://169.254.169.254/latest'],
    ['http://[::ffff:10.0.0.1]/'],
    ['http://example.org:25/'],
    ['nothing'],
    [''],
    [`http://127.0.0.1:8080/${'x'.repeat(65_536)}`],
  ])('refuses to register %.40s', async (bad) => {
    const refused = { status: 400, body: { success: false, error: { code: 'VALIDATION_ERROR' } } };
    const created = await roost.api<ErrorBody>('POST', `${base}/endpoints`, { url: bad, events: ['*'] });
    expect(created).toMatchObject(refused);
    expect(created.body.error.details).toContainEqual(expect.objectContaining({ field: 'url' }));
  });

  it('refuses other bad input in the shape of all errors', async () => {
    const { endpoint } = await register({ events: ['agent.deleted'] });
    const path = `${base}/endpoints/${endpoint.id}`;
    const unknown = '00000000-0000-4000-8000-000000000000';
    const bad: [number, string, string, unknown?][] = [
      [400, 'POST', `${base}/endpoints`, { url }],
      [400, 'POST', `${base}/endpoints`, { url, events: [] }],
      [400, 'POST', `${base}/endpoints`, { url, events: ['nothing.happened'] }],
      [400, 'POST', `${base}/endpoints`, { url, events: ['*'], agent_ids: ['x'] }],
      [400, 'POST', `${base}/endpoints`, { url, events: ['*'], secret: 'short' }],
      [400, 'POST', `${base}/endpoints`, { url, events: ['*'], surprise: true }],
      [400, 'POST', `${base}/endpoints`, '{'],
      [400, 'PATCH', path, { url: 'http://10.0.0.1/' }],
      [400, 'PATCH', path, { enabled: 'yes' }],
      [400, 'POST', `${path}/replay`, {}],
      [400, 'POST', `${path}/replay`, { since: 'yesterday' }],
      [400, 'GET', `${base}/deliveries?limit=0`],
      [400, 'GET', `${base}/deliveries?status=lost`],
      [400, 'GET', `${base}/deliveries?endpoint_id=x`],
      [400, 'GET', `${base}/deliveries?since=x`],
      ...['GET', 'PATCH', 'DELETE'].map((method): [number, string, string, unknown?] => [
        404,
        method,
        `${base}/endpoints/${unknown}`,
        method === 'PATCH' ? { enabled: true } : undefined,
      ]),
      [404, 'GET', `${base}/endpoints/x`],
      [404, 'POST', `${base}/endpoints/${unknown}/rotate-secret`],
      [404, 'POST', `${base}/endpoints/${unknown}/test`],
      [404, 'POST', `${base}/endpoints/${unknown}/replay`, { since: new Date().toISOString() }],
      [404, 'GET', `${base}/deliveries/${unknown}`],
      [404, 'POST', `${base}/deliveries/${unknown}/retry`],
    ];
    for (const [status, method, where, body] of bad) {
      const headers = typeof body === 'string' ? { 'content-type': 'application/json' } : {};
      const answer = await roost.api<ErrorBody>(method, where, body, headers);
      expect(answer.status, `${method} ${where} ${JSON.stringify(body)} ${JSON.stringify(answer.body)}`).toBe(status);
      expect(answer.body.success).toBe(false);
    }
    expect((await roost.api('GET', `${base}/endpoints`, undefined, { authorization: '' })).status).toBe(401);
  });
});
