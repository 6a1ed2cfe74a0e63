import {
  agentDeleted,
  automationStarted,
  getSchedule,
  listNextRuns,
  messageCompleted,
  messageFailed,
  MessageId,
  runSchedule,
  toggleSchedule,
  updateSchedule,
} from '#lib/contracts';
import { Bus } from '#lib/bus';
import { Database } from '#lib/database';
import { publishEvent, until } from '#lib/testing';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { closeExecutions, recordSent, startExecutions } from './executions/outcomes.repository.js';
import { fireDue } from './firing/firing.service.js';
import { Retention } from './firing/retention.js';
import { create } from './schedules/schedules.service.js';
import { type SchedulerFixture, schedulerFixture } from '../test/scheduler-fixture.js';

describe('scheduler', () => {
  let fixture: SchedulerFixture;
  let bus: Bus;
  let rows: Database;
  let accountId: string;
  let agentId: string;

  beforeAll(async () => {
    fixture = await schedulerFixture();
    ({ bus, rows, accountId, agentId } = fixture);
  });
  afterAll(() => fixture.stop());

  const queued = (messageId: string, scheduleId: string) => ({
    ...{ id: messageId, role: 'user' as const, content: 'x', metadata: {}, status: 'read' as const },
    ...{ channel: 'schedule' as const, queueMode: 'collect' as const, conversationId: `schedule:${scheduleId}` },
    ...{ replyToId: null, createdAt: new Date(), deliveredAt: null, readAt: null, error: null },
  });

  it('refuses what it cannot keep, naming the field', async () => {
    await expect(fixture.schedule({ cronExpression: '0 0 30 2 *' })).rejects.toMatchObject({
      code: 'VALIDATION_ERROR',
      details: [{ field: 'cron_expression' }],
    });
    await expect(fixture.schedule({ cronExpression: '*/5 * * * * *' })).rejects.toMatchObject({
      details: [{ reason: 'too_frequent' }],
    });
    await expect(fixture.schedule({ timezone: 'Mars/Base' })).rejects.toMatchObject({
      details: [{ field: 'timezone' }],
    });
    await expect(fixture.schedule({ messageTemplate: '{{constructor}}' })).rejects.toMatchObject({
      details: [{ reason: 'unknown_variable' }],
    });
  });

  it('lists the next times of an expression as a schedule would fire, and refuses what one would be refused for', async () => {
    const ask = (plan: { cronExpression: string; timezone?: string; limit?: number }, call = fixture.call()) =>
      bus.request(listNextRuns, { agentId, timezone: 'UTC', limit: 5, ...plan }, call);
    const plan = { cronExpression: '30 2 * * *', timezone: 'Europe/Berlin' };
    const { nextRuns } = await ask(plan);
    expect(nextRuns).toHaveLength(5);
    expect(nextRuns).toEqual(nextRuns.toSorted((a, b) => a.getTime() - b.getTime()));
    expect((await fixture.schedule(plan)).nextRunAt).toEqual(nextRuns[0]);
    expect((await ask({ ...plan, limit: 2 })).nextRuns).toEqual(nextRuns.slice(0, 2));
    await expect(ask({ cronExpression: 'soon' })).rejects.toMatchObject({ details: [{ field: 'cron_expression' }] });
    await expect(ask({ cronExpression: '* * * * * *' })).rejects.toMatchObject({
      details: [{ reason: 'too_frequent' }],
    });
    await expect(ask({ ...plan, timezone: 'Mars/Base' })).rejects.toMatchObject({ details: [{ field: 'timezone' }] });
    await expect(ask(plan, fixture.call(randomUUID()))).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('changes single fields, toggles, and shows nothing to another account', async () => {
    const { id } = await fixture.schedule();
    const key = { agentId, scheduleId: id };
    const changed = await bus.request(updateSchedule, { ...key, cronExpression: '@hourly' }, fixture.call());
    expect(changed).toMatchObject({ name: 'daily', cronExpression: '@hourly' });
    expect(changed.nextRunAt?.getUTCMinutes()).toBe(0);
    expect(await bus.request(toggleSchedule, key, fixture.call())).toMatchObject({ enabled: false, nextRunAt: null });
    expect(await bus.request(toggleSchedule, { ...key, enabled: true }, fixture.call())).toMatchObject({
      enabled: true,
    });
    await expect(bus.request(getSchedule, key, fixture.call(randomUUID()))).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  it('fires every slot once with three replicas, and completes with the turn', async () => {
    const { id } = await fixture.schedule({ cronExpression: '* * * * *' });
    const before = fixture.messaging.sends;
    await rows.query(
      `UPDATE schedules SET next_run_at = date_trunc('minute', now()) - interval '49 minutes' WHERE id = $1`,
      [id],
    );
    const areSent = async () => {
      const found = await fixture.executionsOf(id);
      return found.length >= 50 && found.every(({ status }) => status === 'queued') && found;
    };
    await until('all are sent', areSent);
    // None of the next minute comes in between.
    await rows.query(`UPDATE schedules SET enabled = false, next_run_at = NULL WHERE id = $1`, [id]);
    const executions = await until('all are sent', areSent);
    expect(new Set(executions.map(({ scheduledFor }) => scheduledFor.getTime())).size).toBe(executions.length);
    expect(new Set(executions.map(({ messageId }) => messageId)).size).toBe(executions.length);
    expect(fixture.messaging.sends - before).toBe(executions.length);

    const messageId = executions[0]?.messageId ?? '';
    const message = queued(messageId, id);
    await publishEvent(bus.connection, messageCompleted, {
      ...{ accountId, agentId, turnId: randomUUID(), messages: [message], replies: [] },
      usage: { inputTokens: 1, outputTokens: 1, cachedInputTokens: 0 },
    });
    await until('it is completed', async () =>
      (await fixture.executionsOf(id)).some(
        (execution) => execution.messageId === messageId && execution.status === 'completed',
      ),
    );
    await rows.query(`UPDATE schedules SET enabled = false, next_run_at = NULL WHERE id = $1`, [id]);
  });

  it('skips with the reason while the agent is stopped', async () => {
    const { id } = await fixture.schedule();
    await rows.query(`UPDATE agents SET status = 'stopped'`);
    await rows.query(`UPDATE schedules SET next_run_at = date_trunc('day', now()) WHERE id = $1`, [id]);
    await until('it is skipped', async () =>
      (await fixture.executionsOf(id)).some(
        ({ status, error }) => status === 'skipped' && error === 'the agent is stopped',
      ),
    );
    await rows.query(`UPDATE agents SET status = 'active'`);
  });

  it('skips a slot while the previous execution still runs, when asked to', async () => {
    const { id } = await fixture.schedule({ overlap: 'skip' });
    await bus.request(runSchedule, { agentId, scheduleId: id }, fixture.call());
    await rows.query(`UPDATE schedules SET next_run_at = date_trunc('day', now()) WHERE id = $1`, [id]);
    await until('it is skipped', async () =>
      (await fixture.executionsOf(id)).some(({ error }) => error === 'the previous execution still runs'),
    );
  });

  it('lets one of many runs by hand through while the previous execution has not ended, when asked to', async () => {
    const { id } = await fixture.schedule({ overlap: 'skip' });
    const run = () => bus.request(runSchedule, { agentId, scheduleId: id }, fixture.call());
    const statuses = async (runs: ReturnType<typeof run>[]) =>
      (await Promise.all(runs)).map(({ status }) => status).sort();
    expect(await statuses(Array.from({ length: 5 }, run))).toEqual(['pending', ...Array<string>(4).fill('skipped')]);
    expect(await run()).toMatchObject({
      status: 'skipped',
      messageId: null,
      error: 'the previous execution still runs',
    });
    const messageId = (await until('it is sent', async () => (await fixture.executionsOf(id)).at(-1)?.messageId)) ?? '';
    await publishEvent(bus.connection, messageFailed, {
      ...{ accountId, agentId, turnId: randomUUID(), messages: [queued(messageId, id)] },
      error: { code: 'X', message: 'x' },
    });
    await until('it has ended', async () =>
      (await fixture.executionsOf(id)).every(({ finishedAt }) => finishedAt !== null),
    );
    expect(await run()).toMatchObject({ status: 'pending' });
  });

  it('is queued until its turn runs, in whatever order the events arrive', async () => {
    const { id } = await fixture.schedule();
    await bus.request(runSchedule, { agentId, scheduleId: id }, fixture.call());
    const sentOne = await until('it is queued', async () => {
      const [execution] = await fixture.executionsOf(id);
      return execution?.status === 'queued' && execution;
    });
    expect(sentOne).toMatchObject({ startedAt: null, finishedAt: null });
    const messageIds = [MessageId.parse(sentOne.messageId)];
    await publishEvent(bus.connection, automationStarted, { accountId, agentId, messageIds });
    const running = await until('it runs', async () => {
      const [execution] = await fixture.executionsOf(id);
      return execution?.status === 'running' && execution;
    });
    expect(running.startedAt).toBeInstanceOf(Date);
    // Received before the sender wrote down the message's id.
    const execution = randomUUID();
    const early = MessageId.parse(`msg_${randomUUID()}`);
    await rows.query(
      `INSERT INTO executions (id, account_id, agent_id, schedule_id, scheduled_for, status, queue_mode)
       VALUES ($1, $2, $3, $4, now() + interval '1 hour', 'pending', 'collect')`,
      [execution, accountId, agentId, id],
    );
    await rows.transaction((tx) => startExecutions(tx, [early]));
    await rows.transaction((tx) => closeExecutions(tx, [early], 'completed', null));
    await rows.transaction((tx) => startExecutions(tx, [early]));
    await rows.transaction((tx) => recordSent(tx, [{ executionId: execution, messageId: early }]));
    expect((await fixture.executionsOf(id))[0]).toMatchObject({ uuid: execution, status: 'completed' });
    expect((await fixture.executionsOf(id))[0]?.finishedAt).toBeInstanceOf(Date);
  });

  it('makes up for nothing that passed while the platform was down, also a minute ago, and shows it as missed', async () => {
    const { id } = await fixture.schedule({ cronExpression: '* * * * *' });
    // Nothing of the present minute is due: the latest slot passed some seconds ago at least.
    const [first] = await rows.query<{ next_run_at: Date }>(
      `WITH changed AS (
         UPDATE schedules SET catch_up = 'none', next_run_at = date_trunc('minute', now() - interval '15 seconds') - interval '9 minutes'
         WHERE id = $1 RETURNING next_run_at
       ) SELECT next_run_at FROM changed`,
      [id],
    );
    const newest = (first?.next_run_at.getTime() ?? 0) + 9 * 60_000;
    const found = await until('they are recorded', async () => {
      const executions = await fixture.executionsOf(id);
      return executions.length >= 9 && executions;
    });
    const old = found.filter(({ scheduledFor }) => scheduledFor.getTime() <= newest);
    expect(old.length).toBeGreaterThanOrEqual(9);
    expect(new Set(old.map(({ status }) => status))).toEqual(new Set(['missed']));
    await rows.query(`UPDATE schedules SET enabled = false, next_run_at = NULL WHERE id = $1`, [id]);
  });

  it('neither doubles nor loses a slot when the clock jumps hours ahead and back', async () => {
    const { id } = await fixture.schedule({ cronExpression: '0 * * * *' });
    const jump = (hours: number) =>
      rows.transaction((tx) => fireDue(tx, new Date(Date.now() + hours * 3_600_000), 1_000));
    for (const hours of [5, -3, 0, 4, 8, 1]) await jump(hours);
    const slots = (await fixture.executionsOf(id)).map(({ scheduledFor }) => scheduledFor.getTime()).reverse();
    const first = slots[0] ?? 0;
    expect(slots).toEqual(Array.from({ length: 8 }, (_, hour) => first + hour * 3_600_000));
  });

  it('fails an execution whose turn failed, with the reason', async () => {
    const { id } = await fixture.schedule();
    await bus.request(runSchedule, { agentId, scheduleId: id }, fixture.call());
    const messageId = (await until('it is sent', async () => (await fixture.executionsOf(id))[0]?.messageId)) ?? '';
    const error = { code: 'MODEL_KEY_REFUSED', message: 'set a valid key' };
    const failed = { accountId, agentId, turnId: randomUUID(), messages: [queued(messageId, id)], error };
    await publishEvent(bus.connection, messageFailed, failed);
    await until('it is failed', async () => {
      const [execution] = await fixture.executionsOf(id);
      return execution?.status === 'failed' && execution.error?.includes('set a valid key');
    });
  });

  it('publishes once the slots that nobody makes up for', async () => {
    const { id } = await fixture.schedule({ cronExpression: '0 * * * *' });
    await rows.query(
      `UPDATE schedules SET catch_up = 'none', next_run_at = date_trunc('hour', now()) - interval '3 hours' WHERE id = $1`,
      [id],
    );
    const missed = await until('they are missed', async () => {
      const found = (await fixture.executionsOf(id)).filter(({ status }) => status === 'missed');
      return found.length >= 3 && found;
    });
    const missedEvents = await rows.query<{ payload: unknown }>(
      `SELECT payload FROM outbox WHERE subject LIKE '%scheduler.schedule.missed' AND payload::text LIKE '%' || $1 || '%'`,
      [id],
    );
    expect(missedEvents).toHaveLength(1);
    expect(JSON.stringify(missedEvents[0]?.payload)).toContain(`"count":${missed.length}`);
  });

  it('stops at the account’s limit', async () => {
    const limited = rows.transaction((tx) =>
      create(
        tx,
        {
          ...{ agentId, name: 'one more', cronExpression: '@daily', messageTemplate: 'x', timezone: 'UTC' },
          ...{ enabled: true, queueMode: 'collect', overlap: 'queue', catchUp: 'latest' },
        },
        accountId,
        { schedules: 1, SCHEDULE_MIN_INTERVAL_SECONDS: 60 },
      ),
    );
    await expect(limited).rejects.toMatchObject({
      code: 'QUOTA_EXCEEDED',
      details: [{ quota: 'schedules', limit: 1 }],
    });
  });

  it('runs now', async () => {
    const { id } = await fixture.schedule();
    expect(await bus.request(runSchedule, { agentId, scheduleId: id }, fixture.call())).toMatchObject({
      status: 'pending',
    });
    await until('it is sent', async () => (await fixture.executionsOf(id))[0]?.status === 'queued');
  });

  it('goes with its agent', async () => {
    await publishEvent(bus.connection, agentDeleted, { agentId, accountId, revision: 9 });
    await until('nothing is left', async () => {
      const left = await rows.query(
        `SELECT id FROM schedules UNION ALL SELECT id FROM triggers UNION ALL SELECT id FROM executions`,
      );
      return left.length === 0;
    });
    // Its tombstone stays as long as late events of it may come.
    const tombstones = () => rows.query(`SELECT 1 FROM agents WHERE agent_id = $1 AND status = 'deleted'`, [agentId]);
    await new Retention(rows).sweep();
    expect(await tombstones()).toHaveLength(1);
    await rows.query(`UPDATE agents SET deleted_at = now() - interval '9 days' WHERE agent_id = $1`, [agentId]);
    await new Retention(rows).sweep();
    expect(await tombstones()).toHaveLength(0);
  });
});
