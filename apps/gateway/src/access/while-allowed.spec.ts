import { PassThrough } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { describe, expect, it, vi } from 'vitest';
import type { Call, EndpointDefinition } from '../http/endpoint.js';
import type { AccessEnd } from './access-ends.js';
import type { OpenRequest, OpenRequests } from './open-requests.js';
import { whileAllowed } from './while-allowed.js';

const AGENT = '01890000-0000-7000-8000-000000000001';

/** An endpoint in hand whose end a test decides. */
function inHand(definition: Partial<EndpointDefinition>, { headersSent = false, isPublic = false } = {}) {
  const watched: OpenRequest[] = [];
  const forget = vi.fn();
  const open = { watch: (request: OpenRequest) => (watched.push(request), forget) } as unknown as OpenRequests;
  const raw = Object.assign(new PassThrough(), { headersSent });
  const reply = { raw, header: vi.fn() };
  const request = { ...(isPublic ? {} : { identity: {} }), routeOptions: { url: '/v1/agent/:id/filesystem/files/*' } };
  const call = { params: { id: AGENT }, request, stream: new PassThrough().on('error', () => undefined) };
  const never = new Promise<never>(() => undefined);
  const answer = whileAllowed(
    open,
    { method: 'GET', access: 'account', ...definition } as EndpointDefinition,
    call as unknown as Call,
    reply as unknown as FastifyReply,
    () => never,
  );
  answer.catch(() => undefined);
  return { watched, forget, raw, request, call, answer, end: (why: AccessEnd) => watched[0]?.end(why) };
}

describe('a request that takes long', () => {
  it.each([
    ['credential_revoked', 'UNAUTHORIZED'],
    ['account_deleted', 'UNAUTHORIZED'],
    ['agents_disabled', 'FEATURE_DISABLED'],
    ['agent_deleted', 'NOT_FOUND'],
  ] as const)('is answered when %s: %s', async (why, code) => {
    const { answer, end, watched } = inHand({});
    expect(watched[0]).toMatchObject({ agentId: AGENT, needsAgents: true });
    end(why);
    await expect(answer).rejects.toMatchObject({ code });
  });

  it('stops taking an upload', async () => {
    const { answer, end, call } = inHand({ method: 'POST', accepts: ['json', 'stream'] });
    end('credential_revoked');
    await expect(answer).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    expect(call.stream.destroyed).toBe(true);
  });

  it('has its connection closed in the middle of a download, or ends as it knows how', () => {
    const download = inHand({}, { headersSent: true });
    download.end('credential_revoked');
    expect(download.raw.destroyed).toBe(true);
    const stream = inHand({}, { headersSent: true });
    const endReply = vi.fn();
    Object.assign(stream.request, { endReply });
    stream.end('agent_deleted');
    expect(endReply).toHaveBeenCalledWith('agent_deleted');
    expect(stream.raw.destroyed).toBe(false);
  });

  it('is no longer watched when it is over', async () => {
    const { raw, forget } = inHand({});
    raw.destroy();
    await vi.waitFor(() => expect(forget).toHaveBeenCalled());
  });
});

it('a change is carried out to its end, and what is public is nobody’s', () => {
  expect(inHand({ method: 'POST' }).watched).toEqual([]);
  expect(inHand({}, { isPublic: true }).watched).toEqual([]);
});
