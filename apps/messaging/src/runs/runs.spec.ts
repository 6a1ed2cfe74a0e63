import { ownCall } from '#lib/call-context';
import {
  cancelRun,
  completeTurn,
  failTurn,
  getMessage,
  getRun,
  interruptedTurn,
  listRuns,
  releaseTurn,
  type Run,
  type RunStatus,
} from '#lib/contracts';
import { Database, newId } from '#lib/database';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fenceOf, type MessagingFixture, messagingFixture, usage } from '../../test/messaging-fixture.js';
import { migrations } from '../migrations/index.js';
import { ATTEMPTS, FILTERED_LIST, FIND, LIST, MESSAGES } from './runs.repository.js';

describe('runs', () => {
  let fixture: MessagingFixture;
  let database: Database;

  beforeAll(async () => {
    fixture = await messagingFixture();
    database = await Database.open({ url: fixture.databaseUrl, schema: 'messaging', migrations, poolSize: 2 });
  });
  afterAll(async () => {
    await database.close();
    await fixture.stop();
  });

  const list = (agentId: string, query: object = {}) =>
    fixture.bus.request(listRuns, { agentId, limit: 50, ...query }, fixture.account());
  const get = (agentId: string, runId: string) => fixture.bus.request(getRun, { agentId, runId }, fixture.account());
  const message = (agentId: string, messageId: string) =>
    fixture.bus.request(getMessage, { agentId, messageId, waitSeconds: 0 }, fixture.account());
  const complete = (turn: { turnId: string; fencingToken: number }) =>
    fixture.bus.request(completeTurn, { ...fenceOf(turn), replies: ['hello'], usage }, ownCall('c'));
  const fail = (turn: { turnId: string; fencingToken: number }, retryable: boolean) =>
    fixture.bus.request(
      failTurn,
      { ...fenceOf(turn), error: { code: 'MODEL_OVERLOADED', message: 'busy' }, retryable, partialReply: '' },
      ownCall('f'),
    );

  it('has one for each turn, from its claim to its answer, with its messages', async () => {
    const agentId = await fixture.agent();
    const sent = await fixture.send(agentId, 'hi', { channel: 'telegram' });
    expect((await list(agentId)).runs).toEqual([]);
    const turn = await fixture.claim();
    expect((await list(agentId)).runs).toMatchObject([
      { id: turn.turnId, agentId, source: 'telegram', status: 'running', endedAt: null, attemptCount: 1, error: null },
    ]);
    const { replyIds } = await complete(turn);
    const { run, attempts, messages, replies } = await get(agentId, turn.turnId);
    expect(run).toMatchObject({ status: 'completed', messageIds: [sent.id], replyIds, conversationId: 'default' });
    expect(run.endedAt).toBeInstanceOf(Date);
    expect(run.excerpt).toBe('hi');
    expect(attempts).toMatchObject([
      { number: 1, turnId: turn.turnId, state: 'completed', willRetry: false, error: null },
    ]);
    expect(messages.map(({ content }) => content)).toEqual(['hi']);
    expect(replies.map(({ content }) => content)).toEqual(['hello']);
  });

  it('goes on over attempts, each with the reason that it ended with, and waits in between', async () => {
    const agentId = await fixture.agent();
    await fixture.send(agentId, 'a');
    const first = await fixture.claim();
    await fail(first, true);
    expect((await get(agentId, first.turnId)).run).toMatchObject({
      status: 'waiting',
      endedAt: null,
      error: { code: 'MODEL_OVERLOADED', message: 'busy' },
    });
    const second = await fixture.claim();
    expect(second).toMatchObject({ runId: first.turnId, attempt: 2 });
    expect((await get(agentId, first.turnId)).run).toMatchObject({ status: 'running', attemptCount: 2, error: null });
    const reason = { code: 'SHUTDOWN', message: 'the worker was stopped' };
    await fixture.bus.request(releaseTurn, { ...fenceOf(second), reason }, ownCall('r'));
    const third = await fixture.claim();
    await complete(third);
    const { run, attempts } = await get(agentId, first.turnId);
    expect(run).toMatchObject({ id: first.turnId, status: 'completed', attemptCount: 3, error: null });
    expect(attempts.map(({ number, state, error, willRetry }) => [number, state, error?.code, willRetry])).toEqual([
      [1, 'failed', 'MODEL_OVERLOADED', true],
      [2, 'released', 'SHUTDOWN', true],
      [3, 'completed', undefined, false],
    ]);
    // It is found from what it answered, and from what it said.
    const [reply] = (await get(agentId, first.turnId)).replies;
    for (const id of [...run.messageIds, reply?.id ?? ''])
      expect(await message(agentId, id)).toMatchObject({ runId: first.turnId });
    // One run, and the next message begins another.
    const waiting = await fixture.send(agentId, `${'é'.repeat(200)} and more`);
    expect(await message(agentId, waiting.id)).toMatchObject({ runId: null });
    const next = await fixture.claim();
    expect((await list(agentId)).runs[0]?.excerpt).toBe('é'.repeat(200));
    expect(next.runId).toBe(next.turnId);
    await complete(next);
    expect((await list(agentId)).runs.map(({ id }) => id)).toEqual([next.turnId, first.turnId]);
    await expect(get(agentId, third.turnId)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('ends as failed, interrupted or expired and answered by another worker', async () => {
    const agentId = await fixture.agent();
    await fixture.send(agentId, 'a');
    const failed = await fixture.claim();
    await fail(failed, false);
    await fixture.send(agentId, 'b');
    const interrupted = await fixture.claim();
    await fixture.send(agentId, 'c', { queueMode: 'interrupt' });
    await fixture.bus.request(interruptedTurn, { ...fenceOf(interrupted), partialReply: 'so', usage }, ownCall('i'));
    const lost = await fixture.claim();
    await fixture.lose(lost);
    const taken = await fixture.claim();
    await complete(taken);
    const { runs } = await list(agentId);
    expect(runs.map(({ id, status, error }) => [id, status, error?.code])).toEqual([
      [lost.turnId, 'completed', undefined],
      [interrupted.turnId, 'interrupted', 'INTERRUPTED'],
      [failed.turnId, 'failed', 'MODEL_OVERLOADED'],
    ]);
    expect((await get(agentId, lost.turnId)).attempts.map(({ state }) => state)).toEqual(['expired', 'completed']);
  });

  it('is cancelled while it runs and while it waits, once; one that has ended is not', async () => {
    const agentId = await fixture.agent();
    const cancel = (runId: string) => fixture.bus.request(cancelRun, { agentId, runId }, fixture.account());
    await fixture.send(agentId, 'a');
    const running = await fixture.claim();
    await expect(cancel(running.turnId)).resolves.toMatchObject({ status: 'running', cancelRequested: true });
    await fixture.bus.request(interruptedTurn, { ...fenceOf(running), partialReply: 'so', usage }, ownCall('i'));
    await expect(cancel(running.turnId)).resolves.toMatchObject({ status: 'cancelled', error: { code: 'CANCELLED' } });
    const { id } = await fixture.send(agentId, 'b');
    const waiting = await fixture.claim();
    await fixture.bus.request(releaseTurn, fenceOf(waiting), ownCall('r'));
    await expect(cancel(waiting.turnId)).resolves.toMatchObject({ status: 'cancelled', cancelRequested: false });
    const { messages } = await get(agentId, waiting.turnId);
    expect(messages).toMatchObject([{ id, status: 'read', error: { code: 'CANCELLED' } }]);
    await fixture.send(agentId, 'c');
    const next = await fixture.claim();
    expect(next.messages.map(({ content }) => content)).toEqual(['c']);
    await complete(next);
    await expect(cancel(next.turnId)).rejects.toMatchObject({ code: 'CONFLICT' });
  });

  it('is listed by pages, status, source and time; of another account there is none', async () => {
    const agentId = await fixture.agent();
    const made: string[] = [];
    for (const channel of ['api', 'slack', 'api', 'schedule', 'api']) {
      await fixture.send(agentId, 'x', { channel });
      const turn = await fixture.claim();
      await (made.length % 2 === 0 ? complete(turn) : fail(turn, false));
      made.push(turn.turnId);
    }
    const ids = async (query: object) => (await list(agentId, query)).runs.map(({ id }) => made.indexOf(id));
    await expect(ids({})).resolves.toEqual([4, 3, 2, 1, 0]);
    await expect(ids({ status: 'failed' })).resolves.toEqual([3, 1]);
    await expect(ids({ source: 'api' })).resolves.toEqual([4, 2, 0]);
    await expect(ids({ source: 'schedule', status: 'failed' })).resolves.toEqual([3]);
    await expect(ids({ source: 'discord' })).resolves.toEqual([]);
    const all: Run[] = [];
    for (let before: string | undefined, more = true; more;) {
      const page = await list(agentId, { limit: 2, ...(before ? { before } : {}) });
      all.push(...page.runs);
      before = page.runs.at(-1)?.id;
      more = page.hasMore;
    }
    expect(all.map(({ id }) => made.indexOf(id))).toEqual([4, 3, 2, 1, 0]);
    const from = all[2]?.startedAt ?? new Date(0);
    // Times of the wire hold milliseconds: the run itself began some microseconds later.
    await expect(ids({ from })).resolves.toEqual([4, 3, 2]);
    await expect(ids({ to: from })).resolves.toEqual([1, 0]);
    await expect(list(agentId, { before: newId() })).rejects.toMatchObject({ code: 'VALIDATION_ERROR' });
    const stranger = { ...ownCall('x'), accountId: newId() };
    await expect(fixture.bus.request(listRuns, { agentId, limit: 1 }, stranger)).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    await expect(fixture.bus.request(getRun, { agentId, runId: made[0] ?? '' }, stranger)).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    const other = await fixture.agent();
    await expect(get(other, made[0] ?? '')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('is read by its indexes, whatever is asked for and however many there are', async () => {
    const agentId = await fixture.agent();
    const statuses: RunStatus[] = ['completed', 'failed'];
    await database.query(
      `INSERT INTO turns (id, account_id, agent_id, conversation_id, worker_id, fencing_token, attempt, lease_until,
         message_ids, state, run_status, source, started_at, ended_at)
       SELECT gen_random_uuid(), $1, CASE WHEN n % 4 = 0 THEN $2::uuid ELSE gen_random_uuid() END, 'default', 'w', n, 1, now(), '[]',
         'completed', ($3::text[])[1 + n % 2], 'api', now() - n * interval '1 s', now() FROM generate_series(1, 20000) n`,
      [fixture.accountId, agentId, statuses],
    );
    await database.query(
      `INSERT INTO messages (id, account_id, agent_id, conversation_id, role, content, status, channel, turn_id)
       SELECT 'msg_' || id, account_id, agent_id, 'default', 'user', 'hi', 'read', 'api', id FROM turns`,
    );
    await database.query('ANALYZE turns, messages');
    const { id: runId } = (await list(agentId, { limit: 1 })).runs[0] ?? { id: '' };
    const range = [agentId, fixture.accountId, null, null, null, null, 51];
    const plans = await Promise.all([
      planOf(LIST, range),
      planOf(FILTERED_LIST, [...range, ['cancelled'], ['api', 'slack']]),
      planOf(FIND, [agentId, fixture.accountId, runId]),
      planOf(ATTEMPTS, [runId]),
      planOf(MESSAGES, [agentId, fixture.accountId, [`msg_${runId}`]]),
    ]);
    expect(plans[0]).toContain('turns_runs');
    expect(plans[1]).toContain('turns_runs_by_status');
    expect(plans[2]).toContain('turns_pkey');
    expect(plans[3]).toContain('turns_attempts');
    expect(plans[4]).toContain('messages_pkey');
    for (const plan of plans) {
      expect(plan).not.toContain('Seq Scan');
      // No step reads more than a page and what it takes to find its end.
      expect(Math.max(...[...plan.matchAll(/actual rows=(\d+)/g)].map(([, rows]) => Number(rows)))).toBeLessThan(120);
    }
  });

  const planOf = async (sql: string, values: unknown[]) => {
    const rows = await database.query<{ 'QUERY PLAN': string }>(`EXPLAIN (ANALYZE, TIMING OFF) ${sql}`, values);
    return rows.map((row) => row['QUERY PLAN']).join('\n');
  };
});
