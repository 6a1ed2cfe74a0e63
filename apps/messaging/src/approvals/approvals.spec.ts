import { callHash, canonicalJson } from '#lib/canonical-json';
import { type CallContext, ownCall } from '#lib/call-context';
import {
  approvalShown,
  cancelRun,
  claimTurn,
  decideApproval,
  getApproval,
  getMessage,
  getRun,
  listAgentEvents,
  listApprovals,
  MAX_APPROVAL_BYTES,
  listAudit,
  startApproval,
  type SuspendedCall,
  suspendTurn,
  syncAgent,
} from '#lib/contracts';
import { Database, newId } from '#lib/database';
import { until } from '#lib/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { fenceOf, type MessagingFixture, messagingFixture } from '../../test/messaging-fixture.js';
import { messagingDatabase } from '../../test/messaging-database.js';
import { LIST, LIST_OF_AGENT } from './approvals.repository.js';

describe('approvals', () => {
  let fixture: MessagingFixture;
  beforeAll(async () => {
    fixture = await messagingFixture();
  });
  // What a test leaves claimable would be claimed by the next.
  afterEach(async () => {
    for (const agentId of agents.splice(0)) {
      const state = { agentId, accountId: fixture.accountId, status: 'stopped' as const, revision: 2 };
      await fixture.bus.request(syncAgent, state, ownCall('s'));
    }
  });
  afterAll(() => fixture.stop());
  const agents: string[] = [];

  const call = (args: unknown = { command: 'make deploy' }, more: Partial<SuspendedCall> = {}): SuspendedCall => ({
    approvalId: newId(),
    kind: 'tool',
    toolCallId: newId(),
    tool: 'bash',
    arguments: canonicalJson(args),
    hash: callHash('bash', args),
    rule: 0,
    ...more,
  });
  const by = (type: 'user' | 'person', id: string): CallContext => ({ ...fixture.account(), actor: { type, id } });
  const ask = <T>(work: (accountCall: CallContext) => Promise<T>) => work(by('user', 'ada'));
  const decide = (approvalId: string, more: object = { decision: 'allow_once' }, context = by('user', 'ada')) =>
    fixture.bus.request(decideApproval, { approvalId, ...more } as never, context);
  /** An agent with a message whose turn waits for the calls. */
  async function suspended(calls = [call()], more: object = {}) {
    const agentId = await fixture.agent();
    agents.push(agentId);
    const { id: messageId } = await fixture.send(agentId, 'deploy it');
    const turn = await fixture.claim();
    const input = {
      ...fenceOf(turn),
      calls,
      approvers: null,
      expiresAfterSeconds: 3_600,
      partialReply: 'I would',
      ...more,
    };
    await expect(fixture.bus.request(suspendTurn, input, ownCall('w'))).resolves.toEqual({ suspended: true });
    return { agentId, messageId, turn, calls, first: calls[0]?.approvalId ?? '' };
  }
  const waitingFor = async (agentId: string, messageId: string) =>
    (await fixture.bus.request(getMessage, { agentId, messageId, waitSeconds: 0 }, fixture.account())).message
      .waitingFor?.reason;
  const claimNow = async () => (await fixture.bus.request(claimTurn, { workerId: 'w' }, ownCall('c'))).turn;
  const eventsOf = async (agentId: string) => {
    const query = { agentId, fromStart: true, limit: 100 };
    const { events } = await fixture.bus.request(listAgentEvents, query, fixture.account());
    return events.map(({ subject, payload }) => ({ type: subject.replace('events.messaging.', ''), payload }));
  };

  it('suspend a turn, free its agent, and give the decision to whoever claims the run next', async () => {
    const { agentId, messageId, turn, first, calls } = await suspended();
    await expect(waitingFor(agentId, messageId)).resolves.toBe('approval');
    // Another conversation of the agent goes on; a newer message of the suspended one waits.
    await fixture.send(agentId, 'elsewhere', { conversationId: 'other' });
    const { id: late } = await fixture.send(agentId, 'and?');
    await expect(fixture.claim()).resolves.toMatchObject({ conversationId: 'other' });
    await expect(waitingFor(agentId, late)).resolves.toBe('approval');
    const run = await ask((context) => fixture.bus.request(getRun, { agentId, runId: turn.turnId }, context));
    expect(run.run).toMatchObject({ status: 'waiting' });
    expect(run.attempts).toMatchObject([{ state: 'suspended', willRetry: true, error: { code: 'APPROVAL_NEEDED' } }]);
    expect(run.approvals).toMatchObject([{ toolCallId: calls[0]?.toolCallId, approval: { status: 'pending' } }]);
    await decide(first, { decision: 'allow_once', message: 'go' });
    const types = (await eventsOf(agentId)).map(({ type }) => type);
    expect(types.filter((type) => type.startsWith('approval.'))).toEqual(['approval.requested', 'approval.decided']);
  });

  it('wait until all calls of the turn are decided, then the turn is claimed with what was decided', async () => {
    const calls = [call({ command: 'a' }), call({ command: 'b' })];
    const { turn, agentId } = await suspended(calls);
    await decide(calls[0]!.approvalId, { decision: 'deny', message: 'no' });
    await expect(claimNow()).resolves.toBeNull();
    await decide(calls[1]!.approvalId, { decision: 'allow_once', arguments: { command: 'c' } });
    const resumed = await fixture.claim();
    expect(resumed).toMatchObject({ agentId, runId: turn.turnId, attempt: 1, partialReply: 'I would' });
    expect(resumed.approvals).toEqual([
      expect.objectContaining({ toolCallId: calls[0]!.toolCallId, status: 'denied', message: 'no' }),
      expect.objectContaining({
        status: 'allowed',
        editedArguments: '{"command":"c"}',
        hash: callHash('bash', { command: 'c' }),
        decidedBy: { type: 'user', id: 'ada' },
      }),
    ]);
  });

  it('take the first decision alone, and say who made it', async () => {
    const { first } = await suspended();
    const outcomes = await Promise.allSettled(
      ['ada', 'bob', 'cem'].map((name) => decide(first, { decision: 'deny' }, by('user', name))),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const { decidedBy } = await ask((context) => fixture.bus.request(getApproval, { approvalId: first }, context));
    for (const outcome of outcomes)
      if (outcome.status === 'rejected')
        expect(outcome.reason).toMatchObject({
          code: 'CONFLICT',
          details: [{ reason: 'already_decided', status: 'denied', decided_by: decidedBy }],
        });
    const query = { accountId: fixture.accountId, before: null, limit: 10, target: first };
    const { records } = await fixture.bus.request(listAudit('messaging'), query, fixture.account());
    expect(records.map(({ record }) => [record.action, record.actor])).toEqual([['approval.denied', decidedBy]]);
  });

  it('let a call run in one attempt, and only as it was shown', async () => {
    const { first, calls } = await suspended();
    await decide(first);
    const turn = await fixture.claim();
    const start = (hash: string, fence = fenceOf(turn)) =>
      fixture.bus.request(startApproval, { approvalId: first, hash, ...fence }, ownCall('w'));
    await expect(start(callHash('bash', { command: 'rm -rf /' }))).rejects.toMatchObject({
      details: [{ reason: 'hash_differs' }],
    });
    await start(calls[0]!.hash);
    await start(calls[0]!.hash);
    await fixture.lose(turn);
    const next = await until('the lost turn is claimed by another', async () => (await claimNow()) ?? false);
    await expect(start(calls[0]!.hash, fenceOf(next))).rejects.toMatchObject({
      details: [{ reason: 'already_started' }],
    });
    await expect(start(calls[0]!.hash)).rejects.toMatchObject({ code: 'CONFLICT' });
  });

  it('expire by the clock of the database, like a denial', async () => {
    const { first, agentId } = await suspended([call()], { expiresAfterSeconds: 1 });
    const turn = await fixture.claim();
    expect(turn.approvals).toMatchObject([{ approvalId: first, status: 'expired', decidedBy: null }]);
    await expect(decide(first)).rejects.toMatchObject({ code: 'CONFLICT', details: [{ status: 'expired' }] });
    expect((await eventsOf(agentId)).map(({ type }) => type)).toContain('approval.expired');
  });

  it('are cancelled with their run, whose messages get the error', async () => {
    const { first, agentId, messageId, turn } = await suspended();
    await ask((context) => fixture.bus.request(cancelRun, { agentId, runId: turn.turnId }, context));
    const { message } = await fixture.bus.request(
      getMessage,
      { agentId, messageId, waitSeconds: 5 },
      fixture.account(),
    );
    expect(message).toMatchObject({ status: 'read', error: { code: 'CANCELLED' } });
    await expect(decide(first)).rejects.toMatchObject({ details: [{ status: 'cancelled' }] });
    await fixture.send(agentId, 'next');
    await expect(fixture.claim()).resolves.toMatchObject({ agentId, approvals: [] });
  });

  it('are cancelled by a message that interrupts, which is answered next', async () => {
    const { first, agentId, messageId } = await suspended();
    const { id } = await fixture.send(agentId, 'never mind', { queueMode: 'interrupt' });
    const answered = await fixture.bus.request(getMessage, { agentId, messageId, waitSeconds: 5 }, fixture.account());
    expect(answered.message).toMatchObject({ error: { code: 'INTERRUPTED' } });
    await expect(fixture.claim()).resolves.toMatchObject({ messages: [{ id }] });
    await expect(decide(first)).rejects.toMatchObject({ details: [{ status: 'cancelled' }] });
  });

  it('are decided in chats by those that the permissions name, and by the account in any case', async () => {
    const { first } = await suspended([call(), call()], { approvers: ['slack:U1'] });
    await expect(decide(first, { decision: 'deny' }, by('person', 'slack:U2'))).rejects.toMatchObject({
      code: 'ACCESS_DENIED',
    });
    await expect(decide(first, { decision: 'deny' }, by('person', 'slack:U1'))).resolves.toMatchObject({
      decidedBy: { type: 'person', id: 'slack:U1' },
    });
  });

  it('put a rule into the event when a call is always allowed', async () => {
    const { first, agentId } = await suspended();
    await decide(first, { decision: 'allow_always' });
    const decided = (await eventsOf(agentId)).find(({ type }) => type === 'approval.decided');
    expect(decided?.payload).toMatchObject({
      rule: { tool: 'bash', arguments: { command: 'make deploy' }, exact: true, action: 'allow' },
    });
    const long = await suspended([call({ command: 'x'.repeat(600) })]);
    await expect(decide(long.first, { decision: 'allow_always' })).rejects.toMatchObject({ code: 'VALIDATION_ERROR' });
    const rule = { tool: 'bash', action: 'deny' };
    await expect(decide(long.first, { decision: 'allow_always', rule })).rejects.toMatchObject({
      code: 'VALIDATION_ERROR',
    });
    await decide(long.first, { decision: 'allow_always', rule: { ...rule, action: 'allow' } });
  });

  it('hold any text, long ones alone, and note where they were shown', async () => {
    const hostile = { command: `\u0000\u202e${'x'.repeat(MAX_APPROVAL_BYTES - 100)}\ud800` };
    const { first, agentId } = await suspended([call(hostile)]);
    const where = 'slack C1';
    for (let times = 0; times < 2; times += 1)
      await ask((context) => fixture.bus.request(approvalShown, { approvalId: first, where }, context));
    const approval = await ask((context) => fixture.bus.request(getApproval, { approvalId: first }, context));
    expect(JSON.parse(approval.arguments ?? '')).toEqual(hostile);
    expect(approval.shown).toMatchObject([{ where }]);
    const { approvals } = await ask((context) =>
      fixture.bus.request(listApprovals, { agentId, limit: 10 } as never, context),
    );
    expect(approvals).toMatchObject([{ id: first, arguments: null, argumentBytes: approval.argumentBytes }]);
  });

  it('are of one account', async () => {
    const { first } = await suspended();
    const other = { ...by('user', 'eve'), accountId: newId() };
    await expect(decide(first, { decision: 'deny' }, other)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(fixture.bus.request(getApproval, { approvalId: first }, other)).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });
});

describe('ten thousand approvals', () => {
  it('are listed by index, page by page', async () => {
    const { database, drop } = await messagingDatabase();
    const [accountId, agentId] = [newId(), newId()];
    await database.query(
      `INSERT INTO approvals (id, account_id, agent_id, run_id, turn_id, conversation_id, source, message_ids, kind, tool,
         tool_call_id, arguments, hash, status, created_at, expires_at)
       SELECT gen_random_uuid(), CASE WHEN n % 2 = 0 THEN $1::uuid ELSE gen_random_uuid() END,
         CASE WHEN n % 10 = 0 THEN $2::uuid ELSE gen_random_uuid() END, gen_random_uuid(), gen_random_uuid(), 'c', 'api',
         '[]', 'tool', 'bash', 'call', '{"command":"ls"}', '', CASE WHEN n % 8 = 0 THEN 'allowed' ELSE 'pending' END,
         now() - n * interval '1 second', now()
       FROM generate_series(1, 25000) n`,
      [accountId, agentId],
    );
    const plans = [];
    for (const [sql, more] of [
      [LIST, []],
      [LIST_OF_AGENT, [agentId]],
    ] as const) {
      const values = [accountId, ['pending'], null, null, 51, ...more];
      expect(await database.query(sql, values)).toHaveLength(51);
      plans.push(await planOf(database, sql, values));
    }
    await drop();
    expect(plans[0]).toContain('approvals_account');
    expect(plans[1]).toContain('approvals_agent');
    for (const plan of plans) {
      expect(plan).not.toContain('Seq Scan');
      expect(Math.max(...[...plan.matchAll(/actual rows=(\d+)/g)].map(([, rows]) => Number(rows)))).toBeLessThan(60);
    }
  });
});

async function planOf(database: Database, sql: string, values: unknown[]): Promise<string> {
  const rows = await database.query<{ 'QUERY PLAN': string }>(`EXPLAIN (ANALYZE, TIMING OFF) ${sql}`, values);
  return rows.map((row) => row['QUERY PLAN']).join('\n');
}
