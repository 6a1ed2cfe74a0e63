import {
  agentUpdated,
  deleteWebhookEndpoint,
  getWebhookDelivery,
  getWebhookEndpoint,
  listWebhookDeliveries,
  listWebhookEndpoints,
  messageCompleted,
  replayWebhooks,
  retryWebhookDelivery,
  rotateWebhookSecret,
  scheduleMissed,
  testWebhookEndpoint,
  updateWebhookEndpoint,
} from '#lib/contracts';
import { ownCall } from '#lib/call-context';
import { until, publishEvent } from '#lib/testing';
import { randomUUID } from 'node:crypto';
import { Webhook as StandardWebhook } from 'standardwebhooks';
import { Webhook as SvixWebhook } from 'svix';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Receiver, startReceiver } from '../test/receiver.js';
import { MAX_TURN_REPLY_CHARACTERS } from './events/batch-replies.js';
import { completed, startDispatch } from '../test/start-dispatch.js';

describe('webhooks', () => {
  let dispatch: Awaited<ReturnType<typeof startDispatch>>;
  const receivers: Receiver[] = [];
  const receiver = async (...parameters: Parameters<typeof startReceiver>) => {
    const started = await startReceiver(...parameters);
    receivers.push(started);
    return started;
  };

  beforeAll(async () => {
    dispatch = await startDispatch();
  });
  afterEach(async () => {
    for (const { close } of receivers.splice(0)) close();
    await dispatch.rows.query(`DELETE FROM endpoints`);
  });
  afterAll(() => dispatch.stop());

  const newAgent = (webhooks = {}) => {
    const id = randomUUID();
    dispatch.agents.set(id, webhooks);
    return id;
  };
  const deliveriesOf = async (endpointId: string) =>
    (await dispatch.bus.request(listWebhookDeliveries, { endpointId, limit: 100 }, dispatch.call())).deliveries;
  const deliveryIn = (endpointId: string, status: string) =>
    until(`a delivery is ${status}`, async () =>
      (await deliveriesOf(endpointId)).find((delivery) => delivery.status === status),
    );

  it('sends a completed message, signed so that standardwebhooks and svix accept it, in every plane of Unicode', async () => {
    const target = await receiver();
    const { secret } = await dispatch.endpoint(target.url);
    const content =
      Array.from({ length: 17 }, (_, plane) => String.fromCodePoint(plane * 0x10000 + 0xabcd)).join('') + '\u2028';
    const agentId = newAgent();
    await dispatch.complete(agentId, content);
    const [got] = await until('it arrives', () => target.received.length > 0 && target.received);
    if (!got) throw new Error('nothing arrived');
    for (const verifier of [new StandardWebhook(secret), new SvixWebhook(secret)]) {
      expect(verifier.verify(got.body, got.headers)).toMatchObject({
        type: 'message.completed',
        data: {
          agent_id: agentId,
          message: { metadata: { ticket: 7 }, channel: 'api' },
          usage: { input_tokens: 3, output_tokens: 5 },
        },
      });
      expect(() => verifier.verify(`${got.body} `, got.headers)).toThrow();
    }
    const sent = JSON.parse(got.body) as { data: { message: { content: string } } };
    expect(sent.data.message.content).toBe(content);
  });

  it('bounds what the webhooks of a batch repeat of its replies', async () => {
    const target = await receiver();
    const agentId = newAgent();
    await dispatch.endpoint(target.url);
    const turn = completed(dispatch.accountId, agentId, 'hello');
    const copies = <T extends { id: string }>(of: T[], count: number) =>
      Array.from({ length: count }, () => of.map((one) => ({ ...one, id: `msg_${randomUUID()}` }))).flat();
    const [messages, replies] = [copies(turn.messages, 50), copies(turn.replies, 10)];
    for (const reply of replies) reply.content = 'x'.repeat(50_000);
    await publishEvent(dispatch.bus.connection, messageCompleted, { ...turn, messages, replies });
    await until('all arrive', () => target.received.length === 50);
    const sizes = target.received.map(({ body }) => body.length);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(MAX_TURN_REPLY_CHARACTERS + 50 * 1_000);
    expect(JSON.parse(target.received[0]?.body ?? '')).toMatchObject({
      data: { reply: { truncated: true }, replies: [{ id: replies[0]?.id }], replies_omitted: 9 },
    });
  });

  it("delivers to the URL of an agent's configuration and follows its change", async () => {
    const [first, other] = [await receiver(), await receiver()];
    const agentId = newAgent({ messageComplete: first.url });
    await dispatch.complete(agentId);
    await until('it arrives', () => first.received.length === 1);
    const { endpoints } = await dispatch.bus.request(listWebhookEndpoints, { agentId }, dispatch.call());
    expect(endpoints).toMatchObject([{ source: 'agent', url: first.url, agentIds: [agentId] }]);
    dispatch.agents.set(agentId, { messageComplete: other.url });
    await publishEvent(dispatch.bus.connection, agentUpdated, {
      agentId,
      accountId: dispatch.accountId,
      revision: 2,
      changed: ['configuration.webhooks'],
    });
    await dispatch.complete(agentId);
    await until('it arrives elsewhere', () => other.received.length === 1);
    expect(first.received).toHaveLength(1);
  });

  it('sends slots that a schedule missed', async () => {
    const target = await receiver();
    const agentId = newAgent();
    await dispatch.endpoint(target.url, { events: ['schedule.missed'], agentIds: [agentId] });
    const at = new Date('2026-01-01T09:00:00.000Z');
    const scheduleId = randomUUID();
    const missed = { scheduleId, name: 'report', count: 3, firstSlot: at, lastSlot: at, occurredAt: at };
    await publishEvent(dispatch.bus.connection, scheduleMissed, { accountId: dispatch.accountId, agentId, ...missed });
    const got = await until('it arrives', () => target.received[0]);
    expect(JSON.parse(got.body)).toEqual({
      type: 'schedule.missed',
      timestamp: at.toISOString(),
      data: {
        agent_id: agentId,
        schedule: { id: scheduleId, name: 'report' },
        missed: 3,
        first_slot: at.toISOString(),
        last_slot: at.toISOString(),
      },
    });
  });

  it('signs with both secrets while a rotation lasts', async () => {
    const target = await receiver();
    const { endpoint, secret } = await dispatch.endpoint(target.url, { events: ['schedule.missed'] });
    const rotated = await dispatch.bus.request(rotateWebhookSecret, { endpointId: endpoint.id }, dispatch.call());
    await dispatch.bus.request(testWebhookEndpoint, { endpointId: endpoint.id }, dispatch.call());
    const [got] = await until('it arrives', () => target.received.length > 0 && target.received);
    if (!got) throw new Error('nothing arrived');
    for (const valid of [secret, rotated.secret]) new StandardWebhook(valid).verify(got.body, got.headers);
    await dispatch.rows.query(`UPDATE endpoints SET previous_secret_until = now() - interval '1 second'`);
    await dispatch.bus.request(testWebhookEndpoint, { endpointId: endpoint.id }, dispatch.call());
    const late = await until('the second arrives', () => target.received[1]);
    expect(late.headers['webhook-signature']?.split(' ')).toHaveLength(1);
    const stored = await dispatch.rows.query<{ text: string }>(`SELECT endpoints::text AS text FROM endpoints`);
    expect(stored[0]?.text).not.toContain(secret.slice(6));
  });

  it('retries with the same webhook-id, keeps each attempt, and dies after the tenth', async () => {
    const target = await receiver((response) => response.writeHead(500).end(`no\0${'x'.repeat(5_000)}`));
    const { endpoint } = await dispatch.endpoint(target.url, { events: ['schedule.missed'] });
    await dispatch.bus.request(testWebhookEndpoint, { endpointId: endpoint.id }, dispatch.call());
    await until(
      'it is dead',
      async () => {
        await dispatch.hurry();
        return (await deliveriesOf(endpoint.id))[0]?.status === 'dead';
      },
      { everyMs: 100 },
    );
    expect(target.received).toHaveLength(10);
    expect(new Set(target.received.map(({ id }) => id)).size).toBe(1);
    const [delivery] = await deliveriesOf(endpoint.id);
    const detail = await dispatch.bus.request(getWebhookDelivery, { deliveryId: delivery?.id ?? '' }, dispatch.call());
    expect(detail.attempts).toHaveLength(10);
    expect(detail.attempts[0]).toMatchObject({ number: 1, responseStatus: 500, error: 'the receiver answered 500' });
    expect(detail.attempts[0]?.responseBody).toHaveLength(1_024);
  });

  it('obeys Retry-After, does not follow redirects, disables what is gone', async () => {
    const busy = await receiver((response) => response.writeHead(429, { 'retry-after': '3600' }).end());
    const elsewhere = await receiver();
    const moved = await receiver((response) => response.writeHead(301, { location: elsewhere.url }).end());
    const gone = await receiver((response) => response.writeHead(410).end());
    const watcher = await receiver();
    await dispatch.endpoint(watcher.url, { events: ['agent.error'] });
    const ids: string[] = [];
    for (const { url } of [busy, moved, gone]) {
      const { endpoint } = await dispatch.endpoint(url, { events: ['message.failed'] });
      ids.push(endpoint.id);
      await dispatch.bus.request(testWebhookEndpoint, { endpointId: endpoint.id }, dispatch.call());
    }
    const [busyId = '', movedId = '', goneId = ''] = ids;
    const disabled = await until('the gone one is disabled', async () => {
      const endpoint = await dispatch.bus.request(getWebhookEndpoint, { endpointId: goneId }, dispatch.call());
      return !endpoint.enabled && endpoint;
    });
    expect(disabled.disabledReason).toBe('gone');
    const sent = await until('the others are sent', () => watcher.received[0]);
    expect(JSON.parse(sent.body)).toMatchObject({ type: 'agent.error', data: { endpoint_id: goneId } });
    const tried = (id: string) =>
      until('tried', async () => (await deliveriesOf(id)).find(({ attemptCount }) => attemptCount > 0));
    const waiting = await tried(busyId);
    expect((waiting.nextAttemptAt?.getTime() ?? 0) - Date.now()).toBeGreaterThan(3_500_000);
    expect((await tried(movedId)).lastResponseStatus).toBe(301);
    expect(elsewhere.received).toHaveLength(0);
    await expect(
      dispatch.bus.request(testWebhookEndpoint, { endpointId: goneId }, dispatch.call()),
    ).rejects.toMatchObject({ code: 'CONFLICT' });
    const again = await dispatch.bus.request(
      updateWebhookEndpoint,
      { endpointId: goneId, enabled: true },
      dispatch.call(),
    );
    expect(again).toMatchObject({ enabled: true, disabledReason: null, failingSince: null });
  });

  it('disables an endpoint that has failed for five days', async () => {
    const target = await receiver((response) => response.writeHead(500).end());
    const { endpoint } = await dispatch.endpoint(target.url, { events: ['schedule.missed'] });
    await dispatch.rows.query(`UPDATE endpoints SET failing_since = now() - interval '121 hours' WHERE id = $1`, [
      endpoint.id,
    ]);
    await dispatch.bus.request(testWebhookEndpoint, { endpointId: endpoint.id }, dispatch.call());
    await until('it is disabled', async () => {
      const now = await dispatch.bus.request(getWebhookEndpoint, { endpointId: endpoint.id }, dispatch.call());
      return now.disabledReason === 'failing';
    });
  });

  it('retries and replays on demand, with the same webhook-id', async () => {
    const target = await receiver();
    const { endpoint } = await dispatch.endpoint(target.url, { events: ['schedule.missed'] });
    const since = new Date(Date.now() - 1_000);
    await dispatch.bus.request(testWebhookEndpoint, { endpointId: endpoint.id }, dispatch.call());
    const done = await deliveryIn(endpoint.id, 'succeeded');
    await dispatch.bus.request(retryWebhookDelivery, { deliveryId: done.id }, dispatch.call());
    await until('the retry arrives', () => target.received.length === 2);
    await deliveryIn(endpoint.id, 'succeeded');
    const replay = { endpointId: endpoint.id, since, status: 'succeeded' as const };
    await expect(dispatch.bus.request(replayWebhooks, replay, dispatch.call())).resolves.toEqual({ replayed: 1 });
    await until('the replay arrives', () => target.received.length === 3);
    expect(new Set(target.received.map(({ id }) => id)).size).toBe(1);
  });

  it('blocks a delivery whose URL may not be called, without dialling', async () => {
    const target = await receiver();
    const { endpoint } = await dispatch.endpoint(target.url, { events: ['schedule.missed'] });
    // A port the guard refuses: it is refused before any connection is made.
    await dispatch.rows.query(`UPDATE endpoints SET url = 'http://127.0.0.1:25/' WHERE id = $1`, [endpoint.id]);
    await dispatch.bus.request(testWebhookEndpoint, { endpointId: endpoint.id }, dispatch.call());
    expect(await deliveryIn(endpoint.id, 'blocked')).toMatchObject({ attemptCount: 1, nextAttemptAt: null });
  });

  it.each([
    'http://user:password@127.0.0.1:8080/',
    'ftp://127.0.0.1/',
    'http://10.0.0.1/',
    'http://0xa9fea9fe/',
    'http://2852039166/',
    'http://0251.0376.0251.0376/',
    'http://169.254.169.254./',
    'http://[::ffff:10.0.0.1]/',
    'http://[64:ff9b::a00:1]/',
    'http://127.0.0.1:25/',
    'http://１０.0.0.1/',
    `http://127.0.0.1:8080/${'x'.repeat(65_536)}`,
    'nothing',
  ])('refuses to register %.60s', async (url) => {
    await expect(dispatch.endpoint(url)).rejects.toMatchObject({ code: 'VALIDATION_ERROR' });
  });

  it("keeps other accounts out, and leaves an agent's URL to its configuration", async () => {
    const target = await receiver();
    const { endpoint } = await dispatch.endpoint(target.url, { events: ['schedule.missed'] });
    const stranger = { ...ownCall('req_stranger'), accountId: randomUUID() };
    const input = { endpointId: endpoint.id };
    const requests = [
      () => dispatch.bus.request(getWebhookEndpoint, input, stranger),
      () => dispatch.bus.request(deleteWebhookEndpoint, input, stranger),
      () => dispatch.bus.request(rotateWebhookSecret, input, stranger),
      () => dispatch.bus.request(testWebhookEndpoint, input, stranger),
    ];
    for (const request of requests) await expect(request()).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await dispatch.rows.query(`UPDATE endpoints SET source = 'agent' WHERE id = $1`, [endpoint.id]);
    await expect(
      dispatch.bus.request(updateWebhookEndpoint, { ...input, description: 'mine' }, dispatch.call()),
    ).rejects.toMatchObject({ code: 'CONFLICT' });
    await expect(dispatch.bus.request(deleteWebhookEndpoint, input, dispatch.call())).rejects.toMatchObject({
      code: 'CONFLICT',
    });
  });
});
