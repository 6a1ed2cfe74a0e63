import { type CallContext, ownCall } from '#lib/call-context';
import {
  askForCredential,
  CREDENTIAL_DECISION_SECONDS,
  decideApproval,
  getApproval,
  listAgentEvents,
  listApprovals,
  MAX_OPEN_CREDENTIALS,
  vaultGrantSettled,
} from '#lib/contracts';
import { newId } from '#lib/database';
import { publishEvent, until } from '#lib/testing';
import fc from 'fast-check';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type MessagingFixture, messagingFixture } from '../../test/messaging-fixture.js';

let fixture: MessagingFixture;
let client: Client;
beforeAll(async () => {
  fixture = await messagingFixture();
  client = new Client(fixture.databaseUrl);
  await client.connect();
});
afterAll(async () => {
  await client?.end();
  await fixture?.stop();
});

interface Request {
  secret: string;
  host: string;
  method: string;
  path: string;
}
const shown: Request = { secret: 'github', host: 'api.example.com', method: 'POST', path: '/repos/acme?draft=1' };
const ada = (): CallContext => ({ ...fixture.account(), actor: { type: 'user', id: 'ada' } });
const ask = (agentId: string, grantId: string, request: Partial<Request> = {}, more: object = {}) =>
  fixture.bus.request(
    askForCredential,
    { agentId, grantId, ...shown, ...request, approvers: null, expiresAfterSeconds: 3_600, ...more },
    fixture.account(),
  );
const decide = (approvalId: string | null, decision: object = { decision: 'allow_once' }, by = ada()) =>
  fixture.bus.request(decideApproval, { approvalId: approvalId ?? '', ...decision } as never, by);
const get = (approvalId: string | null) =>
  fixture.bus.request(getApproval, { approvalId: approvalId ?? '' }, fixture.account());
async function asked(request: Partial<Request> = {}) {
  const [agentId, grantId] = [await fixture.agent(), newId()];
  const { approvalId } = await ask(agentId, grantId, request);
  return { agentId, grantId, approvalId };
}

describe('a request that would carry a secret', () => {
  it('asks a person once, whoever sends it at once, and shows all of it', async () => {
    const [agentId, grantId] = [await fixture.agent(), newId()];
    const answers = await Promise.all(Array.from({ length: 8 }, () => ask(agentId, grantId)));
    expect(new Set(answers.map(({ approvalId }) => approvalId)).size).toBe(1);
    const { approvals } = await fixture.bus.request(listApprovals, { agentId, limit: 50 }, fixture.account());
    expect(approvals).toHaveLength(1);
    expect(approvals[0]).toMatchObject({
      kind: 'credential',
      status: 'pending',
      tool: 'vault:github',
      runId: null,
      grantId,
    });
    expect(JSON.parse(approvals[0]?.arguments ?? '')).toEqual(shown);
  });

  it('passes once when it is allowed once, and then asks again', async () => {
    const { agentId, grantId, approvalId } = await asked();
    await decide(approvalId);
    const answers = await Promise.all(Array.from({ length: 6 }, () => ask(agentId, grantId)));
    expect(answers.filter(({ status }) => status === 'allowed')).toHaveLength(1);
    const others = answers.filter(({ status }) => status !== 'allowed');
    expect(new Set(others.map((answer) => `${answer.status} ${answer.approvalId === approvalId}`))).toEqual(
      new Set(['pending false']),
    );
    await expect(get(approvalId)).resolves.toMatchObject({ startedAt: expect.any(Date) });
  });

  it('is denied with the person’s words, without asking again', async () => {
    const { agentId, grantId, approvalId } = await asked();
    await decide(approvalId, { decision: 'deny', message: 'not today' });
    await expect(ask(agentId, grantId)).resolves.toEqual({ status: 'denied', approvalId, message: 'not today' });
  });

  it.each(['allow_once', 'deny'])('a decision (%s) counts for a while alone', async (decision) => {
    const { agentId, grantId, approvalId } = await asked();
    await decide(approvalId, { decision });
    await client.query(
      `UPDATE messaging.approvals SET decided_at = decided_at - $2 * interval '1 second' WHERE id = $1`,
      [approvalId, CREDENTIAL_DECISION_SECONDS],
    );
    const again = await ask(agentId, grantId);
    expect(again).toMatchObject({ status: 'pending' });
    expect(again.approvalId).not.toBe(approvalId);
  });

  it('expires when nobody decides in time, and is asked about again when it comes again', async () => {
    const [agentId, grantId] = [await fixture.agent(), newId()];
    const { approvalId } = await ask(agentId, grantId, {}, { expiresAfterSeconds: 1 });
    await until('it has expired', async () => (await get(approvalId)).status === 'expired');
    await expect(ask(agentId, grantId)).resolves.toMatchObject({ status: 'pending' });
  });

  it('differs from any other: an allowance never passes to another request, grant or agent', async () => {
    const { agentId, grantId, approvalId } = await asked();
    await decide(approvalId);
    const differing = fc.record(
      {
        host: fc.constantFrom('api.example.com:444', 'api.example.org', 'API.example.com'),
        method: fc.constantFrom('GET', 'DELETE', 'post'),
        path: fc.constantFrom('/repos/acme', '/repos/acme?draft=2', '/repos/acme?draft=1&', '/repos/acme%3Fdraft=1'),
        secret: fc.constantFrom('gitlab', 'github '),
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(
        differing.filter((other) => Object.keys(other).length > 0),
        async (other) => {
          expect((await ask(agentId, grantId, other)).status).not.toBe('allowed');
        },
      ),
      { numRuns: 60 },
    );
    await expect(ask(agentId, newId())).resolves.not.toMatchObject({ status: 'allowed' });
    await expect(ask(await fixture.agent(), grantId)).resolves.not.toMatchObject({ status: 'allowed' });
    await expect(ask(agentId, grantId)).resolves.toMatchObject({ status: 'allowed', approvalId });
  });

  it('is asked about as long as not too many of the agent wait', async () => {
    const [agentId, grantId] = [await fixture.agent(), newId()];
    const all = [];
    for (let at = 0; at <= MAX_OPEN_CREDENTIALS; at += 1) all.push(await ask(agentId, grantId, { path: `/${at}` }));
    expect(all.map(({ status }) => status)).toEqual([
      ...Array<string>(MAX_OPEN_CREDENTIALS).fill('pending'),
      'too_many',
    ]);
    await expect(ask(agentId, grantId, { path: '/0' })).resolves.toMatchObject({ status: 'pending' });
  });

  it('is nobody’s to change: no arguments, no rule; and another account’s is unknown', async () => {
    const { approvalId, agentId, grantId } = await asked();
    await expect(decide(approvalId, { decision: 'allow_once', arguments: { path: '/' } })).rejects.toMatchObject({
      code: 'VALIDATION_ERROR',
    });
    const rule = { tool: '*', action: 'allow' };
    await expect(decide(approvalId, { decision: 'allow_always', rule })).rejects.toMatchObject({
      code: 'VALIDATION_ERROR',
    });
    const other = { ...ownCall('req_other'), accountId: newId() };
    const input = { agentId, grantId, ...shown, approvers: null, expiresAfterSeconds: 60 };
    await expect(fixture.bus.request(askForCredential, input, other)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('is cancelled when its grant is settled', async () => {
    const { approvalId, agentId, grantId } = await asked();
    const event = { accountId: fixture.accountId, agentId, grantId };
    await publishEvent(fixture.bus.connection, vaultGrantSettled, event);
    await until('it is cancelled', async () => (await get(approvalId)).status === 'cancelled');
  });

  it('is asked about where the turn that runs is talked to, and suspends nothing', async () => {
    const agentId = await fixture.agent();
    const { id } = await fixture.send(agentId, 'push it', { conversationId: 'telegram:1:2' });
    const turn = await fixture.claim();
    const { approvalId } = await ask(agentId, newId());
    const conversation = { conversationId: 'telegram:1:2', turnId: turn.turnId, runId: null, toolCallId: null };
    await expect(get(approvalId)).resolves.toMatchObject(conversation);
    const query = { agentId, fromStart: true, limit: 100 };
    const { events } = await fixture.bus.request(listAgentEvents, query, fixture.account());
    const [event] = events.filter(({ subject }) => subject.endsWith('approval.requested'));
    expect(event?.payload).toMatchObject({ message_ids: [id], run_id: null });
    await decide(approvalId);
    await expect(get(approvalId)).resolves.toMatchObject({ status: 'allowed' });
  });
});
