import { afterEach, describe, expect, it } from 'vitest';
import { hangUp, json, type Reaction, refusal, scriptedServer } from '../../test/scripted-server.js';
import { Roost } from '../index.js';
import * as errors from './errors.js';

const closers: (() => void)[] = [];
afterEach(() => closers.splice(0).forEach((close) => close()));

async function against(...reactions: Reaction[]) {
  const server = await scriptedServer(...reactions);
  closers.push(server.close);
  return { ...server, roost: new Roost({ url: `${server.url}/`, apiKey: 'roost_sk_1', retryForMs: 10_000 }) };
}

const models = json(200, { models: [], notes: [] });
const accepted = json(201, { id: 'msg_1' });

describe('what is tried again', () => {
  it.each([
    ['a connection that breaks off', hangUp],
    ['a proxy without its server', json(502, 'Bad Gateway')],
    ['a service that is away', refusal(503, 'SERVICE_UNAVAILABLE')],
    ['a rate limit', refusal(429, 'RATE_LIMITED', { 'retry-after': '1' })],
    ['a request that took too long', refusal(408, 'REQUEST_TIMEOUT')],
  ])('reads: after %s', async (_, reaction) => {
    const { roost, calls } = await against(reaction, reaction, models);
    await expect(roost.models()).resolves.toEqual({ models: [], notes: [] });
    expect(calls).toHaveLength(3);
  });

  it('sends a POST with one key until it is carried out, also while its first sending still runs', async () => {
    const running = refusal(409, 'CONFLICT', { 'retry-after': '0' });
    const { roost, calls } = await against(hangUp, running, accepted);
    await expect(roost.agent('a').messages.send({ content: 'hi' })).resolves.toMatchObject({ id: 'msg_1' });
    const keys = new Set(calls.map(({ headers }) => headers['idempotency-key']));
    expect(calls.map(({ body }) => body)).toEqual(Array(3).fill('{"content":"hi"}'));
    expect([...keys]).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/)]);
  });

  it('takes the caller’s key', async () => {
    const { roost, calls } = await against(accepted);
    await roost.agent('a').messages.send({ content: 'hi' }, { idempotencyKey: 'mine' });
    expect(calls[0]?.headers['idempotency-key']).toBe('mine');
  });

  it.each<[string, Reaction, (roost: Roost) => Promise<unknown>]>([
    ['a deletion whose answer is lost', hangUp, (roost) => roost.agent('a').schedules.delete('s')],
    ['a change of a part', hangUp, (roost) => roost.agent('a').files.patch('f', { operation: 'append', content: 'x' })],
    ['a replacement with a condition', hangUp, (roost) => roost.agent('a').files.write('f', 'x', { ifMatch: 'e' })],
    ['a sign-in', hangUp, (roost) => roost.auth.login({ email: 'a@example.test', password: 'secret' })],
    ['what comes from a stream', hangUp, (roost) => roost.agent('a').files.write('f', new Blob(['x']).stream())],
    ['a conflict', refusal(409, 'CONFLICT'), (roost) => roost.agent('a').messages.send({ content: 'x' })],
    ['a stopped agent', refusal(503, 'AGENT_UNAVAILABLE'), (roost) => roost.agent('a').messages.send({ content: 'x' })],
    ['a fault', refusal(500, 'INTERNAL'), (roost) => roost.models()],
  ])('sends once: %s', async (_, reaction, call) => {
    const { roost, calls } = await against(reaction);
    await expect(call(roost)).rejects.toThrow(/CONFLICT|AGENT_UNAVAILABLE|INTERNAL|no answer/);
    expect(calls).toHaveLength(1);
  });

  it('gives up when it has tried for long enough, and at once when it shall wait for longer', async () => {
    const { roost, calls } = await against(hangUp);
    await expect(roost.models({ retryForMs: 3_000 })).rejects.toThrow(errors.ConnectionError);
    expect(calls.length).toBeGreaterThan(1);
    const limited = await against(refusal(429, 'RATE_LIMITED', { 'retry-after': '3600' }));
    await expect(limited.roost.models()).rejects.toMatchObject({ retryAfterMs: 3_600_000, name: 'RateLimitError' });
    expect(limited.calls).toHaveLength(1);
  });
});

describe('ends of a call', () => {
  it('fails with the signal’s reason: before it, during it, and between two tries', async () => {
    const reason = new Error('the user left');
    const { roost, calls } = await against(() => undefined);
    await expect(roost.models({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(calls).toHaveLength(0);
    const abort = new AbortController();
    const asked = roost.models({ signal: abort.signal });
    await expect.poll(() => calls.length).toBe(1);
    abort.abort(reason);
    await expect(asked).rejects.toBe(reason);
    const failing = await against(refusal(503, 'SERVICE_UNAVAILABLE', { 'retry-after': '5' }));
    const between = new AbortController();
    const waiting = failing.roost.models({ signal: between.signal });
    await expect.poll(() => failing.calls.length).toBe(1);
    between.abort(reason);
    await expect(waiting).rejects.toBe(reason);
  });

  it('is over after timeoutMs, whether no response begins or one does not end', async () => {
    const silent = await against(() => undefined);
    const call = { timeoutMs: 100, retryForMs: 0 };
    await expect(silent.roost.models(call)).rejects.toThrow(errors.TimeoutError);
    const half = await against((response) => void response.writeHead(200).write('{"models":'));
    await expect(half.roost.models(call)).rejects.toThrow(errors.TimeoutError);
  });

  it('asks for the key before each request', async () => {
    const { url, calls } = await against(refusal(503, 'SERVICE_UNAVAILABLE'), models);
    let n = 0;
    await new Roost({ url, apiKey: () => Promise.resolve(`key-${(n += 1)}`) }).models();
    expect(calls.map(({ headers }) => headers.authorization)).toEqual(['Bearer key-1', 'Bearer key-2']);
  });
});

describe('errors', () => {
  it.each([
    [400, 'VALIDATION_ERROR', errors.ValidationError],
    [401, 'UNAUTHORIZED', errors.AuthenticationError],
    [402, 'BALANCE_EXHAUSTED', errors.BalanceExhaustedError],
    [403, 'FEATURE_DISABLED', errors.PermissionError],
    [403, 'QUOTA_EXCEEDED', errors.QuotaExceededError],
    [404, 'NOT_FOUND', errors.NotFoundError],
    [409, 'ALREADY_EXISTS', errors.ConflictError],
    [412, 'PRECONDITION_FAILED', errors.PreconditionFailedError],
    [413, 'PAYLOAD_TOO_LARGE', errors.TooLargeError],
    [503, 'AGENT_UNAVAILABLE', errors.AgentUnavailableError],
    [507, 'INSUFFICIENT_STORAGE', errors.StorageFullError],
    [500, 'INTERNAL', errors.InternalError],
    [404, 'OF_A_NEWER_SERVER', errors.NotFoundError],
    [418, 'OF_A_NEWER_SERVER', errors.RoostError],
  ])('%i %s has a class, the code and the request id', async (status, code, kind) => {
    const { roost } = await against(refusal(status, code));
    const error = await roost.models().catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(kind);
    expect(error).toMatchObject({ code, status, requestId: 'req_1', message: `it is ${code}` });
  });

  it.each(['', '<html>', '{"error":null}', '{"error":"no"}', '[]', 'null'])(
    'takes any answer of a proxy: %j',
    async (text) => {
      const { roost } = await against(
        (response) => void response.writeHead(404, { 'x-request-id': 'req_2' }).end(text),
      );
      await expect(roost.models()).rejects.toMatchObject({ code: 'HTTP_404', requestId: 'req_2' });
    },
  );

  it.each(['ftp://x', 'localhost:3000', ''])('refuses %j as a URL', (url) => {
    expect(() => new Roost({ url })).toThrow(TypeError);
  });

  it('lets no path of a file lead to another operation', async () => {
    const { roost, calls } = await against(json(200, { path: '' }));
    const { files } = roost.agent('a');
    await expect(files.stat('../../b')).rejects.toThrow(RangeError);
    await files.stat('./x/../ä b#?/c%2F..');
    expect(calls[0]?.path).toBe('/v1/agent/a/filesystem/metadata/%C3%A4%20b%23%3F/c%252F..');
    expect(() => roost.agent('')).toThrow(TypeError);
  });
});
