import {
  agentCreated,
  agentDeleted,
  automationStarted,
  createSchedule,
  createTrigger,
  fireTrigger,
  getSchedule,
  listScheduleExecutions,
  messageCompleted,
  messageFailed,
  MessageId,
  rotateTriggerSecret,
  runSchedule,
  sendMessage,
  toggleSchedule,
  updateSchedule,
  updateTrigger,
} from '#lib/contracts';
import { Bus, type RunningService } from '#lib/bus';
import { ownCall } from '#lib/call-context';
import { serve } from '#lib/rpc';
import { Database } from '#lib/database';
import { freshBus, freshDatabase, until, publishEvent } from '#lib/testing';
import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { Webhook as Svix } from 'svix';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { closeExecutions, recordSent, startExecutions } from './executions/outcomes.repository.js';
import { fireDue } from './firing/firing.service.js';
import { sweep } from './firing/retention.js';
import { start } from './main.js';
import { migrations } from './migrations/index.js';
import { create } from './schedules/schedules.service.js';
import { verifySignature } from './triggers/signature.js';

describe('scheduler', () => {
  const accountId = randomUUID();
  const agentId = randomUUID();
  const sent = new Map<string, { id: string; content: string; conversationId: string }>();
  let sends = 0;
  const replicas: RunningService[] = [];
  let database: Awaited<ReturnType<typeof freshDatabase>>;
  let nats: Awaited<ReturnType<typeof freshBus>>;
  let bus: Bus;
  let rows: Database;

  beforeAll(async () => {
    [database, nats] = await Promise.all([freshDatabase(), freshBus('scheduler')]);
    bus = new Bus(await nats.connect(), 'tester');
    // A stand-in for messaging: one message per dedupe key.
    serve(
      bus.connection,
      sendMessage,
      sendMessage.subject,
      (message) => {
        sends++;
        const key = message.dedupeKey ?? randomUUID();
        const known = sent.get(key) ?? { id: `msg_${randomUUID()}`, ...message };
        sent.set(key, known);
        const { content, metadata, channel, queueMode, conversationId } = message;
        return {
          ...{ id: known.id, role: 'user' as const, status: 'pending' as const, createdAt: new Date() },
          ...{ content, metadata, channel, queueMode, conversationId },
        };
      },
      () => undefined,
    );
    const env = {
      NATS_URL: nats.url,
      NATS_CREDS: nats.serviceCreds,
      DATABASE_URL: database.url,
      ROOST_MASTER_KEY: randomBytes(32).toString('base64'),
    };
    for (let replica = 0; replica < 3; replica++) replicas.push(await start(env));
    rows = await Database.open({
      url: database.url,
      schema: 'scheduler',
      migrations,
      poolSize: 2,
    });
    const state = { agentId, accountId, status: 'active' as const, revision: 1 };
    await publishEvent(bus.connection, agentCreated, state);
    await until('the agent is known', async () => (await rows.query(`SELECT 1 FROM agents`)).length === 1);
  });

  afterAll(async () => {
    for (const replica of replicas) await replica.stop();
    await rows.close();
    await bus.connection.close();
    nats.release();
    await database.drop();
  });

  const call = (account = accountId) => ({ ...ownCall('req_test'), accountId: account });
  const schedule = (
    more: { cronExpression?: string; messageTemplate?: string; timezone?: string; overlap?: 'skip' } = {},
  ) =>
    bus.request(
      createSchedule,
      {
        ...{ agentId, name: 'daily', cronExpression: '0 0 * * *', messageTemplate: '{{schedule.name}} {{date}}' },
        ...{ timezone: 'UTC', enabled: true, queueMode: 'collect', overlap: 'queue', catchUp: 'all', ...more },
      },
      call(),
    );
  const executionsOf = async (scheduleId: string) =>
    (await bus.request(listScheduleExecutions, { agentId, scheduleId, page: 1, limit: 100 }, call())).executions;

  const queued = (messageId: string, scheduleId: string) => ({
    ...{ id: messageId, role: 'user' as const, content: 'x', metadata: {}, status: 'read' as const },
    ...{ channel: 'schedule' as const, queueMode: 'collect' as const, conversationId: `schedule:${scheduleId}` },
    ...{ replyToId: null, createdAt: new Date(), deliveredAt: null, readAt: null, error: null },
  });

  it('refuses what it cannot keep, naming the field', async () => {
    await expect(schedule({ cronExpression: '0 0 30 2 *' })).rejects.toMatchObject({
      code: 'VALIDATION_ERROR',
      details: [{ field: 'cron_expression' }],
    });
    await expect(schedule({ cronExpression: '*/5 * * * * *' })).rejects.toMatchObject({
      details: [{ reason: 'too_frequent' }],
    });
    await expect(schedule({ timezone: 'Mars/Base' })).rejects.toMatchObject({ details: [{ field: 'timezone' }] });
    await expect(schedule({ messageTemplate: '{{constructor}}' })).rejects.toMatchObject({
      details: [{ reason: 'unknown_variable' }],
    });
  });

  it('changes single fields, toggles, and shows nothing to another account', async () => {
    const { id } = await schedule();
    const key = { agentId, scheduleId: id };
    const changed = await bus.request(updateSchedule, { ...key, cronExpression: '@hourly' }, call());
    expect(changed).toMatchObject({ name: 'daily', cronExpression: '@hourly' });
    expect(changed.nextRunAt?.getUTCMinutes()).toBe(0);
    expect(await bus.request(toggleSchedule, key, call())).toMatchObject({ enabled: false, nextRunAt: null });
    expect(await bus.request(toggleSchedule, { ...key, enabled: true }, call())).toMatchObject({ enabled: true });
    await expect(bus.request(getSchedule, key, call(randomUUID()))).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('fires every slot once with three replicas, and completes with the turn', async () => {
    const { id } = await schedule({ cronExpression: '* * * * *' });
    const before = sends;
    await rows.query(
      `UPDATE schedules SET next_run_at = date_trunc('minute', now()) - interval '49 minutes' WHERE id = $1`,
      [id],
    );
    const executions = await until('all are sent', async () => {
      const found = await executionsOf(id);
      return found.length >= 50 && found.every(({ status }) => status === 'queued') && found;
    });
    expect(new Set(executions.map(({ scheduledFor }) => scheduledFor.getTime())).size).toBe(executions.length);
    expect(new Set(executions.map(({ messageId }) => messageId)).size).toBe(executions.length);
    expect(sends - before).toBe(executions.length);

    const messageId = executions[0]?.messageId ?? '';
    const message = queued(messageId, id);
    await publishEvent(bus.connection, messageCompleted, {
      ...{ accountId, agentId, turnId: randomUUID(), messages: [message], replies: [] },
      usage: { inputTokens: 1, outputTokens: 1, cachedInputTokens: 0 },
    });
    await until('it is completed', async () =>
      (await executionsOf(id)).some(
        (execution) => execution.messageId === messageId && execution.status === 'completed',
      ),
    );
    await rows.query(`UPDATE schedules SET enabled = false, next_run_at = NULL WHERE id = $1`, [id]);
  });

  it('skips with the reason while the agent is stopped', async () => {
    const { id } = await schedule();
    await rows.query(`UPDATE agents SET status = 'stopped'`);
    await rows.query(`UPDATE schedules SET next_run_at = date_trunc('day', now()) WHERE id = $1`, [id]);
    await until('it is skipped', async () =>
      (await executionsOf(id)).some(({ status, error }) => status === 'skipped' && error === 'the agent is stopped'),
    );
    await rows.query(`UPDATE agents SET status = 'active'`);
  });

  it('skips a slot while the previous execution still runs, when asked to', async () => {
    const { id } = await schedule({ overlap: 'skip' });
    await bus.request(runSchedule, { agentId, scheduleId: id }, call());
    await rows.query(`UPDATE schedules SET next_run_at = date_trunc('day', now()) WHERE id = $1`, [id]);
    await until('it is skipped', async () =>
      (await executionsOf(id)).some(({ error }) => error === 'the previous execution still runs'),
    );
  });

  it('lets one of many runs by hand through while the previous execution has not ended, when asked to', async () => {
    const { id } = await schedule({ overlap: 'skip' });
    const run = () => bus.request(runSchedule, { agentId, scheduleId: id }, call());
    const statuses = async (runs: ReturnType<typeof run>[]) =>
      (await Promise.all(runs)).map(({ status }) => status).sort();
    expect(await statuses(Array.from({ length: 5 }, run))).toEqual(['pending', ...Array<string>(4).fill('skipped')]);
    expect(await run()).toMatchObject({
      status: 'skipped',
      messageId: null,
      error: 'the previous execution still runs',
    });
    const messageId = (await until('it is sent', async () => (await executionsOf(id)).at(-1)?.messageId)) ?? '';
    await publishEvent(bus.connection, messageFailed, {
      ...{ accountId, agentId, turnId: randomUUID(), messages: [queued(messageId, id)] },
      error: { code: 'X', message: 'x' },
    });
    await until('it has ended', async () => (await executionsOf(id)).every(({ finishedAt }) => finishedAt !== null));
    expect(await run()).toMatchObject({ status: 'pending' });
  });

  it('is queued until its turn runs, in whatever order the events arrive', async () => {
    const { id } = await schedule();
    await bus.request(runSchedule, { agentId, scheduleId: id }, call());
    const sentOne = await until('it is queued', async () => {
      const [execution] = await executionsOf(id);
      return execution?.status === 'queued' && execution;
    });
    expect(sentOne).toMatchObject({ startedAt: null, finishedAt: null });
    const messageIds = [MessageId.parse(sentOne.messageId)];
    await publishEvent(bus.connection, automationStarted, { accountId, agentId, messageIds });
    const running = await until('it runs', async () => {
      const [execution] = await executionsOf(id);
      return execution?.status === 'running' && execution;
    });
    expect(running.startedAt).toBeInstanceOf(Date);
    // Heard before the sender wrote down the message's id.
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
    expect((await executionsOf(id))[0]).toMatchObject({ uuid: execution, status: 'completed' });
    expect((await executionsOf(id))[0]?.finishedAt).toBeInstanceOf(Date);
  });

  it('makes up for nothing that passed while the platform was down, also a minute ago, and shows it as missed', async () => {
    const { id } = await schedule({ cronExpression: '* * * * *' });
    // Nothing of the present minute is due: the latest slot passed some seconds ago at least.
    await rows.query(
      `UPDATE schedules SET catch_up = 'none', next_run_at = date_trunc('minute', now() - interval '15 seconds') - interval '9 minutes'
       WHERE id = $1`,
      [id],
    );
    const found = await until('they are recorded', async () => {
      const executions = await executionsOf(id);
      return executions.length >= 9 && executions;
    });
    const old = found.filter(({ scheduledFor }) => Date.now() - scheduledFor.getTime() > 14_000);
    expect(old.length).toBeGreaterThanOrEqual(9);
    expect(new Set(old.map(({ status }) => status))).toEqual(new Set(['missed']));
    await rows.query(`UPDATE schedules SET enabled = false, next_run_at = NULL WHERE id = $1`, [id]);
  });

  it('neither doubles nor loses a slot when the clock jumps hours ahead and back', async () => {
    const { id } = await schedule({ cronExpression: '0 * * * *' });
    const jump = (hours: number) =>
      rows.transaction((tx) => fireDue(tx, new Date(Date.now() + hours * 3_600_000), 1_000));
    for (const hours of [5, -3, 0, 4, 8, 1]) await jump(hours);
    const slots = (await executionsOf(id)).map(({ scheduledFor }) => scheduledFor.getTime()).reverse();
    const first = slots[0] ?? 0;
    expect(slots).toEqual(Array.from({ length: 8 }, (_, hour) => first + hour * 3_600_000));
  });

  it('fails an execution whose turn failed, with the reason', async () => {
    const { id } = await schedule();
    await bus.request(runSchedule, { agentId, scheduleId: id }, call());
    const messageId = (await until('it is sent', async () => (await executionsOf(id))[0]?.messageId)) ?? '';
    const error = { code: 'MODEL_KEY_REFUSED', message: 'set a valid key' };
    const failed = { accountId, agentId, turnId: randomUUID(), messages: [queued(messageId, id)], error };
    await publishEvent(bus.connection, messageFailed, failed);
    await until('it is failed', async () => {
      const [execution] = await executionsOf(id);
      return execution?.status === 'failed' && execution.error?.includes('set a valid key');
    });
  });

  it('publishes once the slots that nobody makes up for', async () => {
    const { id } = await schedule({ cronExpression: '0 * * * *' });
    await rows.query(
      `UPDATE schedules SET catch_up = 'none', next_run_at = date_trunc('hour', now()) - interval '3 hours' WHERE id = $1`,
      [id],
    );
    const missed = await until('they are missed', async () => {
      const found = (await executionsOf(id)).filter(({ status }) => status === 'missed');
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
    const { id } = await schedule();
    expect(await bus.request(runSchedule, { agentId, scheduleId: id }, call())).toMatchObject({ status: 'pending' });
    await until('it is sent', async () => (await executionsOf(id))[0]?.status === 'queued');
  });

  describe('triggers', () => {
    const body = '{"a":{"b":[{"c":"ünï"}]}}';
    const trigger = () =>
      bus.request(
        createTrigger,
        {
          agentId,
          name: 't',
          messageTemplate: '{{payload.a.b.0.c}} {{payload.__proto__}} {{headers.x-event}}',
          enabled: true,
        },
        call(),
      );
    const fire = (triggerId: string, headers: Record<string, string>, content: string | Buffer = body) =>
      bus.request(fireTrigger, {
        triggerId,
        headers: { 'content-type': 'application/json', 'x-event': 'push', ...headers },
        bodyBase64: Buffer.from(content).toString('base64'),
      });

    it('takes each kind of evidence, refuses one byte off, and keeps a rotated secret for a while', async () => {
      const { id, webhookSecret: secret } = await trigger();
      const hmac = (key: string) => `sha256=${createHmac('sha256', key).update(body).digest('hex')}`;
      const at = new Date();
      const standard = {
        'webhook-id': 'wh_1',
        'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
        'webhook-signature': new Webhook(secret.replace(/^whs_/, '')).sign('wh_1', at, body),
      };
      const raw = {
        ...standard,
        'webhook-id': 'wh_2',
        'webhook-signature': new Webhook(secret, { format: 'raw' }).sign('wh_2', at, body),
      };
      for (const proof of [{ 'x-webhook-secret': secret }, { 'x-hub-signature-256': hmac(secret) }, standard, raw]) {
        const { executionId } = await fire(id, proof);
        expect(sent.get(`execution:${executionId}`)?.content).toBe('ünï  push');
      }
      const off = `${secret.slice(0, -1)}${secret.endsWith('A') ? 'B' : 'A'}`;
      for (const proof of [{}, { 'x-webhook-secret': off }, { 'x-hub-signature-256': hmac(off) }])
        await expect(fire(id, proof)).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
      const rotated = await bus.request(rotateTriggerSecret, { agentId, triggerId: id }, call());
      for (const key of [secret, rotated.webhookSecret]) await fire(id, { 'x-webhook-secret': key });
      await rows.query(`UPDATE triggers SET previous_until = now() - interval '1 second' WHERE id = $1`, [id]);
      await expect(fire(id, { 'x-webhook-secret': secret })).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
      expect(JSON.stringify(await rows.query(`SELECT * FROM triggers`))).not.toContain(secret);
    });

    it('makes one message of a delivery that comes twice, also at once', async () => {
      const { id, webhookSecret } = await trigger();
      const headers = { 'x-webhook-secret': webhookSecret, 'x-github-delivery': 'd1' };
      const results = await Promise.all(Array.from({ length: 10 }, () => fire(id, headers)));
      expect(new Set(results.map(({ messageId }) => messageId)).size).toBe(1);
      expect(await fire(id, headers)).toEqual(results[0]);
    });

    /** What somebody has who read one webhook on its way, with whatever he puts beside the signature. */
    const stranger = { 'x-github-delivery': 'new', 'idempotency-key': 'new', 'x-request-id': 'new' };

    it('takes a signed webhook once, whatever is sent beside its signature', async () => {
      const { id, webhookSecret: secret } = await trigger();
      const signed = (webhookId: string, content = body, at = new Date()) => ({
        'webhook-id': webhookId,
        'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
        'webhook-signature': new Svix(secret.replace(/^whs_/, '')).sign(webhookId, at, content),
      });
      const gitHub = (content: string) => ({
        'x-hub-signature-256': `sha256=${createHmac('sha256', secret).update(content).digest('hex')}`,
      });
      const [one, other] = ['{"action":"opened"}', '{"action":"closed"}'];
      for (const [proof, content] of [
        [signed('wh_1'), body],
        [gitHub(one), one],
      ] as const) {
        const first = await fire(id, { ...proof, 'x-github-delivery': 'd1', 'idempotency-key': 'k1' }, content);
        expect(await fire(id, { ...proof, 'x-github-delivery': 'd1' }, content)).toEqual(first);
        expect(await fire(id, { ...proof, ...stranger }, content)).toEqual(first);
        expect(await fire(id, { ...proof, 'x-event': 'other' }, content)).toEqual(first);
      }
      // GitHub redelivers with a new signature after a rotation, other services with a new timestamp.
      const again = await fire(id, signed('wh_1', body, new Date(Date.now() - 60_000)));
      expect(again).toEqual(await fire(id, signed('wh_1')));
      // What is new is accepted though its unsigned id was seen before.
      const seen = { 'x-github-delivery': 'd1', 'idempotency-key': 'k1' };
      const results = [
        await fire(id, signed('wh_1')),
        await fire(id, { ...signed('wh_2'), ...seen }),
        await fire(id, { ...gitHub(one), ...seen }, one),
        await fire(id, { ...gitHub(other), ...seen }, other),
      ];
      expect(new Set(results.map(({ messageId }) => messageId)).size).toBe(4);
    });

    it('hands numbers, keys and forms over as they were sent', async () => {
      const { id, webhookSecret } = await bus.request(
        createTrigger,
        { agentId, name: 'whole', messageTemplate: '{{payload}}', enabled: true },
        call(),
      );
      const said = async (content: string, headers: Record<string, string> = {}) => {
        const { executionId } = await fire(id, { 'x-webhook-secret': webhookSecret, ...headers }, content);
        return sent.get(`execution:${executionId}`)?.content;
      };
      const form = { 'content-type': 'application/x-www-form-urlencoded' };
      const json = '{"id":12345678901234567890,"n":[1.0,1e400,-0],"__proto__":{"a":1},"constructor":null}';
      expect(await said(json)).toBe(json);
      expect(await said(`payload=${encodeURIComponent(json)}`, { ...form, 'x-github-event': 'push' })).toBe(json);
      expect(await said(`payload=${encodeURIComponent(json)}`, form)).toBe(json);
      expect(await said('payload=7&b=1.0&__proto__=x', form)).toBe('{"payload":"7","b":"1.0","__proto__":"x"}');
      expect(await said('{"a":1,"a":2}')).toBe('{"a":2}');
    });

    it('refuses what is nested too deep, and fills a message to its limit or refuses it as too long', async () => {
      const { id, webhookSecret } = await trigger();
      const proof = { 'x-webhook-secret': webhookSecret };
      const deep = (levels: number) => `${'[{"a":'.repeat(levels / 2)}0${'}]'.repeat(levels / 2)}`;
      await fire(id, proof, deep(100));
      for (const levels of [102, 3_000, 150_000])
        await expect(fire(id, proof, deep(levels))).rejects.toMatchObject({
          code: 'VALIDATION_ERROR',
          details: [{ field: 'body', reason: 'too_deep', max: 100 }],
        });
      const template = (text: string) =>
        rows.query(`UPDATE triggers SET message_template = $2 WHERE id = $1`, [id, text]);
      const full = JSON.stringify('x'.repeat(1_048_570));
      // Saved before there was a bound on the places.
      await template('{{payload}}{{payload.a}}{{headers.x-event}}'.repeat(2_300));
      const { executionId } = await fire(id, proof, full);
      expect(sent.get(`execution:${executionId}`)?.content).toBe('x'.repeat(100_000));
      await template('{{payload}}');
      await expect(fire(id, proof, full)).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
      const largest = await fire(id, proof, JSON.stringify('x'.repeat(100_000)));
      expect(sent.get(`execution:${largest.executionId}`)?.content).toHaveLength(100_000);
    });

    it('refuses a template of too many places when it is saved, naming the field', async () => {
      const refused = { code: 'VALIDATION_ERROR', details: [{ field: 'message_template', reason: 'too_many_places' }] };
      const { id } = await trigger();
      const [places, slots] = ['{{payload}}'.repeat(201), '{{date}}'.repeat(201)];
      await expect(
        bus.request(createTrigger, { agentId, name: 't', messageTemplate: places, enabled: true }, call()),
      ).rejects.toMatchObject(refused);
      await expect(
        bus.request(updateTrigger, { agentId, triggerId: id, messageTemplate: places }, call()),
      ).rejects.toMatchObject(refused);
      await expect(schedule({ messageTemplate: slots })).rejects.toMatchObject(refused);
      await bus.request(updateTrigger, { agentId, triggerId: id, messageTemplate: '{{payload}}'.repeat(200) }, call());
    });

    it('refuses bad bodies and a flood', async () => {
      const { id, webhookSecret } = await trigger();
      const proof = { 'x-webhook-secret': webhookSecret };
      await expect(fire(id, proof, Buffer.from([0xff, 0xfe]))).rejects.toMatchObject({ code: 'VALIDATION_ERROR' });
      await expect(fire(id, { ...proof, 'content-type': 'text/plain' })).rejects.toMatchObject({
        code: 'UNSUPPORTED_MEDIA_TYPE',
      });
      await fire(id, { ...proof, 'content-type': 'application/x-www-form-urlencoded' }, 'a=1&b=2');
      await rows.query(`UPDATE triggers SET allowed_at = now() + interval '125 seconds' WHERE id = $1`, [id]);
      await expect(fire(id, proof)).rejects.toMatchObject({ code: 'RATE_LIMITED' });
    });

    it('accepts the example of GitHub’s documentation, and not with a byte changed', () => {
      const signature = 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17';
      const check = (text: string) => () =>
        verifySignature(["It's a Secret to Everybody"], { 'x-hub-signature-256': signature }, Buffer.from(text));
      expect(check('Hello, World!')).not.toThrow();
      expect(check('Hello, World?')).toThrow();
    });
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
    await sweep(rows);
    expect(await tombstones()).toHaveLength(1);
    await rows.query(`UPDATE agents SET deleted_at = now() - interval '9 days' WHERE agent_id = $1`, [agentId]);
    await sweep(rows);
    expect(await tombstones()).toHaveLength(0);
  });
});
