import { createTrigger, fireTrigger, rotateTriggerSecret, testTrigger, updateTrigger } from '#lib/contracts';
import { Bus } from '#lib/bus';
import { Database } from '#lib/database';
import { createHmac, randomUUID } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { Webhook as Svix } from 'svix';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifySignature } from './signature.js';
import { type SchedulerFixture, schedulerFixture } from '../../test/scheduler-fixture.js';

describe('triggers', () => {
  let fixture: SchedulerFixture;
  let bus: Bus;
  let rows: Database;
  let agentId: string;

  beforeAll(async () => {
    fixture = await schedulerFixture();
    ({ bus, rows, agentId } = fixture);
  });
  afterAll(() => fixture.stop());

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
      fixture.call(),
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
      expect(fixture.messaging.sent.get(`execution:${executionId}`)?.content).toBe('ünï  push');
    }
    const off = `${secret.slice(0, -1)}${secret.endsWith('A') ? 'B' : 'A'}`;
    for (const proof of [{}, { 'x-webhook-secret': off }, { 'x-hub-signature-256': hmac(off) }])
      await expect(fire(id, proof)).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    const rotated = await bus.request(rotateTriggerSecret, { agentId, triggerId: id }, fixture.call());
    for (const key of [secret, rotated.webhookSecret]) await fire(id, { 'x-webhook-secret': key });
    await rows.query(`UPDATE triggers SET previous_until = now() - interval '1 second' WHERE id = $1`, [id]);
    await expect(fire(id, { 'x-webhook-secret': secret })).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    expect(JSON.stringify(await rows.query(`SELECT * FROM triggers`))).not.toContain(secret);
  });

  it('is tested by its owner without a secret, disabled or not, and by nobody else', async () => {
    const { id } = await trigger();
    const test = (payload: object, call = fixture.call()) =>
      bus.request(testTrigger, { agentId, triggerId: id, payload: payload as Record<string, never> }, call);
    await bus.request(updateTrigger, { agentId, triggerId: id, enabled: false }, fixture.call());
    const payload = { a: { b: [{ c: 'tried' }] } };
    const { executionId, messageId } = await test(payload);
    expect(fixture.messaging.sent.get(`execution:${executionId}`)?.content).toBe('tried  ');
    // Each is a request of its own.
    expect((await test(payload)).messageId).not.toBe(messageId);
    // A gateway of an older version sends `payload`, in which numbers are what JSON.parse made of them.
    const exact = { agentId, triggerId: id, payloadJson: '{"a":{"b":[{"c":12345678901234567890}]}}' };
    const { executionId: ofText } = await bus.request(testTrigger, exact, fixture.call());
    expect(fixture.messaging.sent.get(`execution:${ofText}`)?.content).toBe('12345678901234567890  ');
    await expect(test(payload, fixture.call(randomUUID()))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(test({ a: 'x'.repeat(1_048_576) })).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
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
      fixture.call(),
    );
    const filled = async (content: string, headers: Record<string, string> = {}) => {
      const { executionId } = await fire(id, { 'x-webhook-secret': webhookSecret, ...headers }, content);
      return fixture.messaging.sent.get(`execution:${executionId}`)?.content;
    };
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const json = '{"id":12345678901234567890,"n":[1.0,1e400,-0],"__proto__":{"a":1},"constructor":null}';
    expect(await filled(json)).toBe(json);
    expect(await filled(`payload=${encodeURIComponent(json)}`, { ...form, 'x-github-event': 'push' })).toBe(json);
    expect(await filled(`payload=${encodeURIComponent(json)}`, form)).toBe(json);
    expect(await filled('payload=7&b=1.0&__proto__=x', form)).toBe('{"payload":"7","b":"1.0","__proto__":"x"}');
    expect(await filled('tag=a&b=1&tag=&tag=b&items[]=1.0&items[]=x', form)).toBe(
      '{"tag":["a","","b"],"b":"1","items[]":["1.0","x"]}',
    );
    expect(await filled('__proto__=x&__proto__=y&constructor=1&constructor=2', form)).toBe(
      '{"__proto__":["x","y"],"constructor":["1","2"]}',
    );
    const twice = `payload=${encodeURIComponent(json)}&payload=[]`;
    expect(await filled(twice, { ...form, 'x-github-event': 'push' })).toBe(json);
    expect(await filled(twice, form)).toBe(JSON.stringify({ payload: [json, '[]'] }));
    expect(await filled('{"a":1,"a":2}')).toBe('{"a":2}');
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
    // Saved before there was a bound on the placeholders.
    await template('{{payload}}{{payload.a}}{{headers.x-event}}'.repeat(2_300));
    const { executionId } = await fire(id, proof, full);
    expect(fixture.messaging.sent.get(`execution:${executionId}`)?.content).toBe('x'.repeat(100_000));
    await template('{{payload}}');
    await expect(fire(id, proof, full)).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
    const largest = await fire(id, proof, JSON.stringify('x'.repeat(100_000)));
    expect(fixture.messaging.sent.get(`execution:${largest.executionId}`)?.content).toHaveLength(100_000);
  });

  it('refuses a template of too many placeholders when it is saved, naming the field', async () => {
    const refused = { code: 'VALIDATION_ERROR', details: [{ field: 'message_template', reason: 'too_many_places' }] };
    const { id } = await trigger();
    const [placeholders, slots] = ['{{payload}}'.repeat(201), '{{date}}'.repeat(201)];
    await expect(
      bus.request(createTrigger, { agentId, name: 't', messageTemplate: placeholders, enabled: true }, fixture.call()),
    ).rejects.toMatchObject(refused);
    await expect(
      bus.request(updateTrigger, { agentId, triggerId: id, messageTemplate: placeholders }, fixture.call()),
    ).rejects.toMatchObject(refused);
    await expect(fixture.schedule({ messageTemplate: slots })).rejects.toMatchObject(refused);
    await bus.request(
      updateTrigger,
      { agentId, triggerId: id, messageTemplate: '{{payload}}'.repeat(200) },
      fixture.call(),
    );
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
