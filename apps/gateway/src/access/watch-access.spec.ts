import compress from '@fastify/compress';
import Fastify, { type FastifyInstance } from 'fastify';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { EndpointDefinition } from '../http/endpoint.js';
import { addBodyForms } from '../http/read-body.js';
import type { ApiRequest } from '../http/request.js';
import type { AccessEnd } from './access-ends.js';
import type { OpenRequest, OpenRequests } from './open-requests.js';
import { watchAccess } from './watch-access.js';

const AGENT = '01890000-0000-7000-8000-000000000001';
const URL = '/v1/agent/:id/filesystem/files/*';

let server: FastifyInstance;
afterEach(() => server.close());

/** A server with one endpoint, whose requests a test ends; `work` is what the endpoint does. */
async function serving(
  endpoint: Partial<EndpointDefinition>,
  work: (request: ApiRequest, raw: ServerResponse) => Promise<unknown>,
  { isPublic = false, isLetIn = Promise.resolve() } = {},
) {
  const watched: OpenRequest[] = [];
  const forget = vi.fn();
  const open = { watch: (request: OpenRequest) => (watched.push(request), forget) } as unknown as OpenRequests;
  server = Fastify();
  await server.register(compress, { encodings: ['gzip'], threshold: 2_048 });
  server.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
  server.addHook('onRequest', async (request: ApiRequest) => {
    if (!isPublic) Object.assign(request, { identity: {} });
    await isLetIn;
  });
  addBodyForms(server);
  watchAccess(server, open);
  server.route({
    method: ['GET', 'POST'],
    url: URL,
    config: { endpoint: { access: 'account', ...endpoint } },
    handler: (request, reply) => work(request, reply.raw),
  });
  const address = await server.listen({ port: 0, host: '127.0.0.1' });
  const send = (init: RequestInit = {}) => fetch(`${address}/v1/agent/${AGENT}/filesystem/files/a`, init);
  const end = (why: AccessEnd) => watched[0]?.end(why);
  return { watched, forget, send, end };
}

const never = () => new Promise<never>(() => undefined);

describe('a request that takes long', () => {
  it.each([
    ['credential_revoked', 'UNAUTHORIZED'],
    ['account_deleted', 'UNAUTHORIZED'],
    ['agents_disabled', 'FEATURE_DISABLED'],
    ['agent_deleted', 'NOT_FOUND'],
  ] as const)('is answered when %s: %s', async (why, code) => {
    const { send, end, watched } = await serving({}, never);
    const answer = send();
    await expect.poll(() => watched[0]).toMatchObject({ agentId: AGENT, needsAgents: true });
    end(why);
    expect((await (await answer).json()) as object).toMatchObject({ error: { code } });
  });

  it('stops taking an upload', async () => {
    let stream: Readable | undefined;
    const { send, end, watched } = await serving({ accepts: ['json', 'stream'] }, async (request) => {
      stream = request.bodyStream;
      await once(stream ?? server.server, 'end');
    });
    const body = new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(10)) });
    const headers = { 'content-type': 'application/octet-stream' };
    const answer = send({ method: 'POST', body, headers, duplex: 'half' } as RequestInit);
    await expect.poll(() => watched).toHaveLength(1);
    end('credential_revoked');
    expect((await answer).status).toBe(401);
    expect(stream?.destroyed).toBe(true);
  });

  it('is left alone once all of its answer is written, however slowly that is read', async () => {
    const size = 32 * 1024 * 1024;
    const { send, end } = await serving({}, () => Promise.resolve('x'.repeat(size)));
    const answer = await send({ headers: { 'accept-encoding': 'identity' } });
    end('agent_deleted');
    expect(await answer.text()).toHaveLength(size);
  });

  it('is left alone while its answer is compressed, whatever the answer is', async () => {
    const text = randomBytes(8 * 1024 * 1024).toString('base64');
    const { send, end } = await serving({}, () => Promise.resolve({ text }));
    const answer = await send({ headers: { 'accept-encoding': 'gzip' } });
    expect(answer.headers.get('content-encoding')).toBe('gzip');
    end('agent_deleted');
    expect(await answer.json()).toEqual({ text });
  });

  it('has its connection closed in the middle of a download, or ends as it knows how', async () => {
    const endReply = vi.fn();
    let isStream = false;
    const { send, watched } = await serving({}, (request, raw) => {
      raw.writeHead(200).write('half');
      if (isStream) request.endReply = endReply;
      return never();
    });
    const download = await send();
    watched[0]?.end('credential_revoked');
    await expect(download.text()).rejects.toThrow();
    isStream = true;
    const stream = await send();
    watched[1]?.end('agent_deleted');
    expect(endReply).toHaveBeenCalledWith('agent_deleted');
    await stream.body?.cancel();
  });

  it('is no longer watched when it is over', async () => {
    const { send, forget } = await serving({}, () => Promise.resolve('done'));
    await (await send()).text();
    await expect.poll(() => forget.mock.calls.length).toBeGreaterThan(0);
  });

  it('is not watched for ever when its caller has gone before it was let in', async () => {
    let letIn: () => void = () => undefined;
    const isLetIn = new Promise<void>((resolve) => (letIn = resolve));
    const { send, watched, forget } = await serving({}, never, { isLetIn });
    const gone = new AbortController();
    const begun = once(server.server, 'request') as Promise<[unknown, ServerResponse]>;
    const answer = send({ signal: gone.signal });
    const [, response] = await begun;
    gone.abort();
    await expect(answer).rejects.toThrow();
    await expect.poll(() => response.closed).toBe(true);
    letIn();
    await expect.poll(() => watched).toHaveLength(1);
    expect(forget).toHaveBeenCalledOnce();
  });
});

it('a change is carried out to its end, and what is public is nobody’s', async () => {
  const done = () => Promise.resolve('done');
  const change = await serving({}, done);
  await (await change.send({ method: 'POST' })).text();
  expect(change.watched).toEqual([]);
  await server.close();
  const open = await serving({}, done, { isPublic: true });
  await (await open.send()).text();
  expect(open.watched).toEqual([]);
});
