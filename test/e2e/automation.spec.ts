import { sealerFrom } from '#lib/auth';
import { startRoost, type TestRoost, until } from '#lib/testing';
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

interface ScheduleBody {
  id: string;
  name: string;
  enabled: boolean;
  next_run_at: string | null;
  cron_expression: string;
}
interface TriggerBody {
  id: string;
  webhook_url: string;
  webhook_secret: string;
}
interface ExecutionBody {
  uuid: string;
  status: string;
  message_id: string | null;
}
interface ErrorBody {
  error: { code: string; message: string; details: { field?: string; reason?: string }[] };
}

describe('schedules and triggers over HTTP', () => {
  let roost: TestRoost;
  let database: pg.Client;
  let agent: string;

  beforeAll(async () => {
    roost = await startRoost();
    database = new pg.Client({ connectionString: roost.databaseUrl });
    await database.connect();
    const { body } = await roost.api<{ id: string }>('POST', '/v1/agent/create', { name: 'punctual' });
    agent = `/v1/agent/${body.id}`;
  });
  afterAll(async () => {
    await database.end();
    await roost.stop();
  });

  const schedule = (more: object = {}) =>
    roost.api<ScheduleBody & ErrorBody>('POST', `${agent}/schedules`, {
      name: 'morning',
      cron_expression: '0 9 * * 1-5',
      message_template: 'It is {{date}} {{time}}: {{schedule.name}}',
      timezone: 'Europe/Berlin',
      ...more,
    });
  const trigger = (message_template: string) =>
    roost.api<TriggerBody & ErrorBody>('POST', `${agent}/triggers`, { name: 'hook', message_template });
  const fire = (id: string, body: unknown, headers: Record<string, string>) =>
    roost.api<{ message_id: string; execution_id: string } & ErrorBody>('POST', `/v1/webhooks/triggers/${id}`, body, {
      authorization: '',
      ...headers,
    });
  const answered = async (path: string) =>
    until('the turn is over', async () => {
      const { body } = await roost.api<{ executions: ExecutionBody[] }>('GET', `${path}/executions`);
      return body.executions[0]?.status === 'completed' && body.executions[0];
    });

  it('keeps a schedule through its whole life', async () => {
    const { status, body } = await schedule();
    expect(status, JSON.stringify(body)).toBe(201);
    expect(body).toMatchObject({ name: 'morning', enabled: true, timezone: 'Europe/Berlin', last_run_at: null });
    const path = `${agent}/schedules/${body.id}`;
    expect(new Date(body.next_run_at ?? '').getTime()).toBeGreaterThan(Date.now());
    const patched = await roost.api<ScheduleBody>('PATCH', path, { cron_expression: '@daily' });
    expect(patched.body).toMatchObject({ name: 'morning', cron_expression: '@daily' });
    const off = await roost.api<ScheduleBody>('POST', `${path}/toggle`);
    expect(off.body).toMatchObject({ enabled: false, next_run_at: null });
    expect((await roost.api<ScheduleBody>('POST', `${path}/toggle`, { enabled: false })).body.enabled).toBe(false);
    const list = await roost.api<{ schedules: ScheduleBody[]; pagination: object }>(
      'GET',
      `${agent}/schedules?limit=1`,
    );
    expect(list.body).toMatchObject({ schedules: [{ id: body.id }], pagination: { total: 1 } });
    expect((await roost.api('DELETE', path)).status).toBe(200);
    expect((await roost.api('GET', path)).status).toBe(404);
  });

  it('runs a schedule now, and its execution ends with the turn', async () => {
    const { body } = await schedule({ message_template: 'write {{schedule.name}} to run.txt' });
    const path = `${agent}/schedules/${body.id}`;
    expect((await roost.api<ExecutionBody>('POST', `${path}/run`)).body.status).toBe('pending');
    const { message_id } = await answered(path);
    const message = await roost.api('GET', `${agent}/messages/${message_id}`);
    expect(message.body).toMatchObject({ message: { channel: 'schedule', content: 'write morning to run.txt' } });
    const file = await roost.api('GET', `${agent}/filesystem/files/run.txt`);
    expect(file.body).toMatchObject({ content: 'morning' });
  });

  it.each([
    [{ cron_expression: '* * * *' }, 'cron_expression'],
    [{ cron_expression: '0 0 1 1 * 2026 *' }, 'cron_expression'],
    [{ cron_expression: '0 0 L * *' }, 'cron_expression'],
    [{ cron_expression: '0 0 15W * *' }, 'cron_expression'],
    [{ cron_expression: '0 0 * * 5#2' }, 'cron_expression'],
    [{ cron_expression: '0 0 30 2 *' }, 'cron_expression'],
    [{ cron_expression: '*/5 * * * * *' }, 'cron_expression'],
    [{ timezone: 'Mars/Base' }, 'timezone'],
    [{ message_template: '{{nothing}}' }, 'message_template'],
    [{ message_template: '{{constructor}}' }, 'message_template'],
    [{ name: '' }, 'name'],
    [{ surprise: 1 }, 'surprise'],
  ])('refuses a schedule with %j, naming the field', async (more, field) => {
    const { status, body } = await schedule(more);
    expect(status).toBe(400);
    expect(body.error.code).toBe('VALIDATION_ERROR');
    expect(body.error.details.map((detail) => detail.field)).toContain(field);
  });

  it('takes names, macros and seconds', async () => {
    for (const cron_expression of ['0 9 * JAN-MAR mon,WED', '@weekly', '30 0 9 * * *'])
      expect((await schedule({ cron_expression })).status).toBe(201);
  });

  it('fires a trigger from a webhook, once for each delivery id', async () => {
    const { status, body } = await trigger('write {{payload.pages.0.title}} to {{headers.x-file}}');
    expect(status, JSON.stringify(body)).toBe(201);
    expect(body.webhook_url).toBe(`${roost.url}/v1/webhooks/triggers/${body.id}`);
    const payload = JSON.stringify({ pages: [{ title: 'news' }] });
    const signature = `sha256=${createHmac('sha256', body.webhook_secret).update(payload).digest('hex')}`;
    const headers = {
      'content-type': 'application/json',
      'x-hub-signature-256': signature,
      'x-github-delivery': 'one',
      'x-file': 'hook.txt',
    };
    const first = await fire(body.id, payload, headers);
    expect(first.status, JSON.stringify(first.body)).toBe(202);
    expect((await fire(body.id, payload, headers)).body).toEqual(first.body);
    await answered(`${agent}/triggers/${body.id}`);
    expect((await roost.api('GET', `${agent}/filesystem/files/hook.txt`)).body).toMatchObject({ content: 'news' });
    const shown = await roost.api('GET', `${agent}/triggers/${body.id}`);
    expect(JSON.stringify(shown.body)).not.toContain(body.webhook_secret);
  });

  it('accepts the example of GitHub’s documentation, and not with a byte changed', async () => {
    // docs.github.com, "Validating webhook deliveries", "Testing the webhook payload validation"
    const secret = "It's a Secret to Everybody";
    const signature = 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17';
    const { body } = await trigger('{{payload}}');
    const sealer = sealerFrom({ ROOST_MASTER_KEY: readFileSync(join(roost.dataDir, 'master-key'), 'utf8') });
    await database.query('UPDATE scheduler.triggers SET secret = $2 WHERE id = $1', [
      body.id,
      sealer.seal(secret, `triggers:${body.id}`),
    ]);
    const headers = { 'content-type': 'application/x-www-form-urlencoded', 'x-hub-signature-256': signature };
    const accepted = await fire(body.id, 'Hello, World!', headers);
    expect(accepted.status, JSON.stringify(accepted.body)).toBe(202);
    expect((await fire(body.id, 'Hello, World?', headers)).status).toBe(401);
  });

  it('never reaches into prototypes and gives nothing for a missing path', async () => {
    const { body } = await trigger('[{{payload.__proto__}}{{payload.constructor.name}}{{payload.a.b.c.d.e.f}}]');
    const headers = { 'content-type': 'application/json', 'x-webhook-secret': body.webhook_secret };
    for (const payload of [{ a: { b: [] } }, [1, 2], 'text', null, 7]) {
      const { status, body: fired } = await fire(body.id, JSON.stringify(payload), headers);
      expect(status).toBe(202);
      const message = await roost.api('GET', `${agent}/messages/${fired.message_id}`);
      expect(message.body).toMatchObject({ message: { content: '[]', channel: 'trigger' } });
    }
  });

  it('makes of a test what a webhook with the same body makes, digit by digit', async () => {
    const { body } = await trigger('{{payload}}');
    const json = { 'content-type': 'application/json' };
    const test = (content: string) =>
      roost.api<{ message_id: string } & ErrorBody>('POST', `${agent}/triggers/${body.id}/test`, content, json);
    const contentOf = async (answer: { status: number; body: { message_id: string } }) => {
      expect(answer.status, JSON.stringify(answer.body)).toBe(202);
      const message = await roost.api<{ message: { content: string } }>(
        'GET',
        `${agent}/messages/${answer.body.message_id}`,
      );
      return message.body.message.content;
    };
    for (const payload of ['{"id":12345678901234567890,"n":1e400,"a":[1.0,-0,"1e400",{"b":1e2}]}', '1e400', '[1.50]']) {
      expect(await contentOf(await test(`{"payload":${payload}}`))).toBe(payload);
      const webhook = await fire(body.id, payload, { ...json, 'x-webhook-secret': body.webhook_secret });
      expect(await contentOf(webhook)).toBe(payload);
    }
    expect(await contentOf(await test('{}'))).toBe('{}');
    expect((await test('{"payload":{},"more":12345678901234567890}')).body.error.details).toMatchObject([
      { field: 'more', reason: 'unknown_field' },
    ]);
  });

  it('answers each bad webhook for what it is', async () => {
    const { body } = await trigger('{{payload.a}}');
    const json = { 'content-type': 'application/json' };
    const proof = { 'x-webhook-secret': body.webhook_secret };
    const off = `${body.webhook_secret.slice(0, -1)}${body.webhook_secret.endsWith('A') ? 'B' : 'A'}`;
    const statusOf = async (content: unknown, headers: Record<string, string>, id = body.id) =>
      (await fire(id, content, headers)).status;
    expect(await statusOf('{"a":1}', json)).toBe(401);
    expect(await statusOf('{"a":1}', { ...json, 'x-webhook-secret': off })).toBe(401);
    expect(await statusOf('{"a":1}', { ...json, ...proof }, '00000000-0000-4000-8000-000000000000')).toBe(404);
    expect(await statusOf('{"a":1}', { ...json, ...proof }, 'no-id')).toBe(404);
    expect(await statusOf('{"a":', { ...json, ...proof })).toBe(400);
    expect(await statusOf(Buffer.from([0x7b, 0xff, 0x7d]), { ...json, ...proof })).toBe(400);
    expect(await statusOf('a=1', { ...proof, 'content-type': 'text/plain' })).toBe(415);
    expect(await statusOf('a=1', { ...proof, 'content-type': 'application/x-www-form-urlencoded' })).toBe(202);
    const full = JSON.stringify({ a: 'x', filler: 'y'.repeat(1_048_576 - 21) });
    expect(full.length).toBe(1_048_576);
    expect(await statusOf(full, { ...json, ...proof })).toBe(202);
    expect(await statusOf(`${full} `, { ...json, ...proof })).toBe(413);
    expect(await statusOf(full.repeat(12), { ...json, ...proof })).toBe(413);
    const form = { ...proof, 'content-type': 'application/x-www-form-urlencoded' };
    expect(await statusOf(`a=${'x'.repeat(1_048_575)}`, form)).toBe(413);
    expect(await statusOf('{"__proto__":{"a":1}}', { ...json, ...proof })).toBe(400); // an empty message
    for (const levels of [3_000, 200_000]) {
      const deep = await fire(body.id, '['.repeat(levels) + ']'.repeat(levels), { ...json, ...proof });
      expect([deep.status, deep.body.error.details[0]?.reason]).toEqual([400, 'too_deep']);
    }
    const long = await trigger('{{payload}}');
    const longProof = { 'x-webhook-secret': long.body.webhook_secret };
    expect(await statusOf(full, { ...json, ...longProof }, long.body.id)).toBe(413);
    expect((await trigger('{{payload}}'.repeat(5_000))).body.error.details).toMatchObject([
      { field: 'message_template', reason: 'too_many_places' },
    ]);
    await roost.api('PATCH', `${agent}/triggers/${body.id}`, { enabled: false });
    expect(await statusOf('{"a":1}', { ...json, ...proof })).toBe(409);
  });

  it('slows a flood down', async () => {
    const { body } = await trigger('{{payload.a}}');
    await database.query(`UPDATE scheduler.triggers SET allowed_at = now() + interval '125 seconds' WHERE id = $1`, [
      body.id,
    ]);
    const { status, headers } = await fire(body.id, '{"a":1}', {
      'content-type': 'application/json',
      'x-webhook-secret': body.webhook_secret,
    });
    expect(status).toBe(429);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
  });

  it('is unavailable while the agent is stopped, and skips its schedules', async () => {
    const { body } = await trigger('{{payload.a}}');
    const { body: planned } = await schedule();
    await roost.api('POST', `${agent}/stop`);
    const { status, body: refusal } = await until('the stop is known', async () => {
      const answer = await fire(body.id, '{"a":1}', {
        'content-type': 'application/json',
        'x-webhook-secret': body.webhook_secret,
      });
      return answer.status !== 202 && answer;
    });
    expect(status).toBe(503);
    expect(refusal.error.message).toContain(`POST ${agent}/status and {"status":"active"}`);
    await database.query(`UPDATE scheduler.schedules SET next_run_at = now() WHERE id = $1`, [planned.id]);
    await until('the slot is skipped', async () => {
      const { body: page } = await roost.api<{ executions: { status: string; error: string }[] }>(
        'GET',
        `${agent}/schedules/${planned.id}/executions?status=skipped`,
      );
      return page.executions[0]?.error === 'the agent is stopped';
    });
  });
});
