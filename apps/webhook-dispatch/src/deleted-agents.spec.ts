import {
  agentDeleted,
  agentStatusChanged,
  type EventContract,
  listWebhookDeliveries,
  replayWebhooks,
  retryWebhookDelivery,
  scheduleMissed,
} from '#lib/contracts';
import { publishEvent, until } from '#lib/testing';
import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { cancelAbandoned } from './deliveries/queue.repository.js';
import { type Receiver, startReceiver } from '../test/receiver.js';
import { startDispatch } from '../test/start-dispatch.js';

describe('webhooks of an agent that is deleted', () => {
  let dispatch: Awaited<ReturnType<typeof startDispatch>>;
  const receivers: Receiver[] = [];
  const receiver = async (...parameters: Parameters<typeof startReceiver>) => {
    const started = await startReceiver(...parameters);
    receivers.push(started);
    return started;
  };

  beforeAll(async () => {
    // Two at a time, so that some are claimed and wait in the worker.
    dispatch = await startDispatch({ ROOST_WEBHOOK_CONCURRENCY: '2' });
  });
  afterEach(async () => {
    for (const { close } of receivers.splice(0)) close();
    await dispatch.rows.query(`DELETE FROM endpoints`);
    await dispatch.rows.query(`DELETE FROM deliveries`);
  });
  afterAll(() => dispatch.stop());

  const newAgent = (webhooks = {}) => {
    const id = randomUUID();
    dispatch.agents.set(id, webhooks);
    return id;
  };
  const publish = <P extends z.ZodType>(contract: EventContract<P>, agentId: string, more: object) =>
    publishEvent(dispatch.bus.connection, contract, { agentId, accountId: dispatch.accountId, ...more } as z.output<P>);
  const changeStatus = (agentId: string) =>
    publish(agentStatusChanged, agentId, { status: 'stopped', previous: 'active', reason: null, revision: 2 });
  const missSlot = (agentId: string) => {
    const at = new Date();
    const missed = { scheduleId: randomUUID(), name: 'report', count: 1, firstSlot: at, lastSlot: at, occurredAt: at };
    return publish(scheduleMissed, agentId, missed);
  };
  /** As lifecycle does it: the agent is gone when the event is published. */
  const deleteAgent = async (agentId: string) => {
    dispatch.agents.delete(agentId);
    await publish(agentDeleted, agentId, { revision: 3 });
  };
  const list = async (agentId: string) =>
    (await dispatch.bus.request(listWebhookDeliveries, { agentId, limit: 100 }, dispatch.call())).deliveries;
  const typesOf = (target: Receiver, agentId: string) =>
    target.received
      .map(({ body }) => JSON.parse(body) as { type: string; data: { agent_id: string } })
      .filter(({ data }) => data.agent_id === agentId)
      .map(({ type }) => type);
  const deletionArrives = (target: Receiver, agentId: string) =>
    until('agent.deleted arrives', () => typesOf(target, agentId).includes('agent.deleted'));
  /** Nothing of the agent is left to be sent, now or later. */
  const nothingWaits = (agentId: string) =>
    until('nothing waits', async () => !(await list(agentId)).some(({ status }) => status === 'pending'));

  it('cancels what waits for another try, at account endpoints and at URLs of its configuration', async () => {
    const [failing, configured] = [
      await receiver((response) => response.writeHead(500).end()),
      await receiver((response) => response.writeHead(500).end()),
    ];
    const target = await receiver();
    const agentId = newAgent({ messageComplete: configured.url });
    await dispatch.endpoint(failing.url, { events: ['message.completed'] });
    await dispatch.endpoint(target.url, { events: ['agent.deleted'] });
    await dispatch.complete(agentId);
    await until('both failed', async () => {
      const deliveries = await list(agentId);
      return deliveries.length === 2 && deliveries.every(({ attemptCount }) => attemptCount === 1);
    });
    await deleteAgent(agentId);
    await deletionArrives(target, agentId);
    await nothingWaits(agentId);
    const cancelled = (await list(agentId)).filter(({ event }) => event === 'message.completed');
    expect(cancelled).toMatchObject([
      { status: 'cancelled', attemptCount: 1, nextAttemptAt: null, finishedAt: expect.any(Date) as Date },
      { status: 'cancelled' },
    ]);
    expect(await dispatch.rows.query(`SELECT 1 FROM queue`)).toEqual([]);
  });

  it.each([
    ['fails', 500, 'cancelled'],
    ['is received', 204, 'succeeded'],
  ])('sends agent.deleted after what is on its way, which %s', async (_how, answer, status) => {
    const pending: ServerResponse[] = [];
    const slow = await receiver((response) => pending.push(response));
    const target = await receiver();
    const agentId = newAgent();
    await dispatch.endpoint(slow.url, { events: ['message.completed'] });
    await dispatch.endpoint(target.url, { events: ['agent.deleted'] });
    for (let count = 0; count < 5; count += 1) await dispatch.complete(agentId);
    // The limit of two: the others are claimed and wait.
    await until('two are on their way', () => pending.length === 2);
    await until('all are claimed', async () => {
      const [row] = await dispatch.rows.query(`SELECT count(*)::int AS count FROM queue WHERE leased_until > now()`);
      return row?.count === 5;
    });
    await deleteAgent(agentId);
    await until('what waited is cancelled', async () => {
      const waiting = (await list(agentId)).filter(({ event }) => event === 'message.completed');
      return waiting.filter((delivery) => delivery.status === 'cancelled').length === 3;
    });
    expect(typesOf(target, agentId)).toEqual([]);
    for (const response of pending) response.writeHead(answer).end();
    await deletionArrives(target, agentId);
    await nothingWaits(agentId);
    const sent = (await list(agentId)).filter(({ event, attemptCount }) => event !== 'agent.deleted' && attemptCount);
    expect(sent).toMatchObject([{ status }, { status }]);
    expect(slow.received).toHaveLength(2);
  });

  it('sends agent.deleted when the leases end of a worker that died', async () => {
    const target = await receiver();
    const agentId = newAgent();
    const { endpoint } = await dispatch.endpoint(target.url);
    await dispatch.rows.query(
      `INSERT INTO deliveries (account_id, endpoint_id, event_id, agent_id, event_type) VALUES ($1, $2, $3, $4, 'x')`,
      [dispatch.accountId, endpoint.id, randomUUID(), agentId],
    );
    // Its event is not there, so that the worker claims it and sends nothing, as one that died.
    await until('it is claimed', async () => {
      const [row] = await dispatch.rows.query(`SELECT 1 FROM queue WHERE leased_until > now()`);
      return row !== undefined;
    });
    await dispatch.rows.query(`UPDATE queue SET leased_until = now() + interval '1 hour'`);
    await deleteAgent(agentId);
    await until('its deletion waits for the lease', async () => {
      const [row] = await dispatch.rows.query(`SELECT 1 FROM deleted_agents WHERE agent_id = $1 AND awaited = 1`, [
        agentId,
      ]);
      return row !== undefined;
    });
    await dispatch.rows.query(`
      UPDATE queue SET leased_until = now(), due_at = CASE WHEN due_at = 'infinity' THEN due_at ELSE now() END`);
    await deletionArrives(target, agentId);
    const [left] = await dispatch.rows.query(`SELECT 1 FROM queue WHERE leased_until > now() AND due_at = 'infinity'`);
    expect(left).toBeUndefined();
    await dispatch.rows.transaction(async (tx) => expect(await cancelAbandoned(tx, 10)).toBe(1));
    await nothingWaits(agentId);
    expect(await list(agentId)).toMatchObject([{ event: 'agent.deleted' }, { status: 'cancelled' }]);
  });

  it('sends nothing of what arrives after its deletion', async () => {
    const target = await receiver();
    const [agentId, unknown] = [newAgent(), newAgent()];
    const handled = async () => (await dispatch.rows.query(`SELECT 1 FROM inbox`)).length;
    await dispatch.endpoint(target.url);
    await dispatch.complete(agentId);
    await until('it arrives', () => typesOf(target, agentId).length === 1);
    for (const id of [agentId, unknown]) {
      await deleteAgent(id);
      await deletionArrives(target, id);
      const before = await handled();
      await dispatch.complete(id);
      await changeStatus(id);
      await missSlot(id);
      await until('all are handled', async () => (await handled()) === before + 3);
    }
    expect([...(await list(agentId)), ...(await list(unknown))]).toHaveLength(3);
    expect(typesOf(target, agentId)).toEqual(['message.completed', 'agent.deleted']);
    expect(typesOf(target, unknown)).toEqual(['agent.deleted']);
  });

  it('sends nothing again but agent.deleted', async () => {
    const target = await receiver();
    const agentId = newAgent();
    const { endpoint } = await dispatch.endpoint(target.url);
    await dispatch.complete(agentId);
    await until('it is delivered', async () => (await list(agentId))[0]?.status === 'succeeded');
    await deleteAgent(agentId);
    await deletionArrives(target, agentId);
    await nothingWaits(agentId);
    const deliveryId = (await list(agentId)).find(({ event }) => event === 'message.completed')?.id ?? '';
    await expect(dispatch.bus.request(retryWebhookDelivery, { deliveryId }, dispatch.call())).rejects.toMatchObject({
      code: 'CONFLICT',
    });
    const replay = { endpointId: endpoint.id, since: new Date(0) };
    await expect(dispatch.bus.request(replayWebhooks, replay, dispatch.call())).resolves.toEqual({ replayed: 1 });
    await until('it is sent again', () => target.received.length === 3);
    expect(typesOf(target, agentId)).toEqual(['message.completed', 'agent.deleted', 'agent.deleted']);
  });

  it('ends with agent.deleted, whatever happens at once', async () => {
    let count = 0;
    const target = await receiver((response) => response.writeHead((count += 1) % 3 === 0 ? 500 : 204).end());
    const { endpoint } = await dispatch.endpoint(target.url);
    const agents = Array.from({ length: 8 }, () => newAgent());
    await Promise.all(
      agents.flatMap((id) => [
        ...Array.from({ length: 6 }, (_, at) => (at % 2 ? dispatch.complete(id) : changeStatus(id))),
        deleteAgent(id),
        dispatch.complete(id),
        dispatch.bus.request(replayWebhooks, { endpointId: endpoint.id, since: new Date(0) }, dispatch.call()),
        missSlot(id),
      ]),
    );
    for (const id of agents) {
      await until('agent.deleted is delivered', async () => {
        await dispatch.rows.query(`UPDATE queue SET due_at = now() WHERE tries > 0 AND due_at < 'infinity'`);
        return (await list(id)).some(({ event, status }) => event === 'agent.deleted' && status === 'succeeded');
      });
      await nothingWaits(id);
      const types = typesOf(target, id);
      expect(types.lastIndexOf('agent.deleted')).toBe(types.length - 1);
      expect(types.slice(types.indexOf('agent.deleted')).every((type) => type === 'agent.deleted')).toBe(true);
    }
  });
});
