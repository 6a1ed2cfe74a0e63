import { agentUpdated, listWebhookDeliveries } from '#lib/contracts';
import { publishEvent, until } from '#lib/testing';
import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startDispatch } from '../../test/start-dispatch.js';
import { type Receiver, startReceiver } from '../../test/receiver.js';

describe("a URL of an agent's configuration that is changed", () => {
  let dispatch: Awaited<ReturnType<typeof startDispatch>>;
  let target: Receiver | undefined;

  beforeAll(async () => {
    dispatch = await startDispatch();
  });
  afterEach(() => target?.close());
  afterAll(() => dispatch.stop());

  const list = async (agentId: string) =>
    (await dispatch.bus.request(listWebhookDeliveries, { agentId, limit: 100 }, dispatch.call())).deliveries;
  const change = async (agentId: string) => {
    dispatch.agents.set(agentId, {});
    const changed = ['configuration.webhooks'];
    await publishEvent(dispatch.bus.connection, agentUpdated, {
      ...{ agentId, accountId: dispatch.accountId, revision: 2, changed },
    });
    await until('its endpoint is gone', async () => {
      const endpoints = await dispatch.rows.query(`SELECT 1 FROM endpoints WHERE agent_ids = ARRAY[$1::uuid]`, [
        agentId,
      ]);
      return endpoints.length === 0;
    });
  };

  it('gets nothing more: what waits for another try is cancelled', async () => {
    target = await startReceiver((response) => response.writeHead(500).end());
    const agentId = randomUUID();
    dispatch.agents.set(agentId, { messageComplete: target.url });
    await dispatch.complete(agentId);
    await until('it failed', async () => (await list(agentId))[0]?.attemptCount === 1);
    await change(agentId);
    const finishedAt = expect.any(Date) as Date;
    expect(await list(agentId)).toMatchObject([{ status: 'cancelled', nextAttemptAt: null, finishedAt }]);
    expect(await dispatch.rows.query(`SELECT 1 FROM queue`)).toEqual([]);
  });

  it.each([
    [500, 'cancelled'],
    [204, 'succeeded'],
  ])('gets what is on its way, and that once: answered %s it is %s', async (answer, status) => {
    const pending: ServerResponse[] = [];
    target = await startReceiver((response) => pending.push(response));
    const agentId = randomUUID();
    dispatch.agents.set(agentId, { messageComplete: target.url });
    await dispatch.complete(agentId);
    await until('it is on its way', () => pending.length === 1);
    await change(agentId);
    expect(await list(agentId)).toMatchObject([{ status: 'pending' }]);
    for (const response of pending) response.writeHead(answer).end();
    await until('it has ended', async () => (await list(agentId))[0]?.status === status);
    expect(await dispatch.rows.query(`SELECT 1 FROM queue`)).toEqual([]);
  });
});
