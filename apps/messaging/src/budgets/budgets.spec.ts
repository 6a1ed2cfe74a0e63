import { ownCall } from '#lib/call-context';
import { claimTurn, getMessage, heartbeatTurn, syncAgent, syncBudget } from '#lib/contracts';
import { newId } from '#lib/database';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fenceOf, type MessagingFixture, messagingFixture } from '../../test/messaging-fixture.js';

describe('an exhausted budget', () => {
  let fixture: MessagingFixture;
  beforeAll(async () => {
    fixture = await messagingFixture();
  });
  afterAll(() => fixture.stop());

  const until = new Date('2030-01-01T00:00:00.000Z');
  const record = (budgetId: string, revision: number, isExhausted: boolean, agentId: string | null = null) =>
    fixture.bus.request(
      syncBudget,
      { budgetId, accountId: fixture.accountId, agentId, isExhausted, until, revision },
      ownCall('b'),
    );
  const waitingFor = async (agentId: string, messageId: string) =>
    (await fixture.bus.request(getMessage, { agentId, messageId, waitSeconds: 0 }, fixture.account())).message
      .waitingFor;
  const claims = async () => (await fixture.bus.request(claimTurn, { workerId: 'w' }, ownCall('c'))).turn;

  it('of the account lets all its agents wait, stops running turns, and lets them go on when it is reset', async () => {
    const [one, two] = [await fixture.agent(), await fixture.agent()];
    await fixture.send(one, 'first');
    const running = await fixture.claim();
    const budget = newId();
    await record(budget, 2, true);
    await expect(fixture.bus.request(heartbeatTurn, fenceOf(running), ownCall('h'))).resolves.toMatchObject({
      lacksBudget: true,
      cancelled: false,
    });
    const { id } = await fixture.send(two, 'second');
    await expect(waitingFor(two, id)).resolves.toEqual({ reason: 'budget', error: null, nextAttemptAt: until });
    await expect(claims()).resolves.toBeNull();
    // Neither an older word of it, nor a new state of an agent, nor a new agent changes that.
    await record(budget, 1, false);
    await fixture.bus.request(syncAgent, { agentId: two, accountId: fixture.accountId, status: 'active', revision: 2 });
    const three = await fixture.agent();
    const late = await fixture.send(three, 'third');
    await expect(waitingFor(three, late.id)).resolves.toMatchObject({ reason: 'budget' });
    await expect(claims()).resolves.toBeNull();
    await record(budget, 3, false);
    expect([await fixture.claim(), await fixture.claim()].map(({ agentId }) => agentId).toSorted()).toEqual(
      [two, three].toSorted(),
    );
  });

  it('of one agent concerns no other; paused by its owner it stays so', async () => {
    const [poor, other] = [await fixture.agent(), await fixture.agent()];
    const budgets = [newId(), newId()];
    for (const budget of budgets) await record(budget, 2, true, poor);
    const { id } = await fixture.send(poor, 'x');
    await fixture.send(other, 'y');
    expect((await fixture.claim()).agentId).toBe(other);
    await record(budgets[0] ?? '', 3, false, poor);
    await expect(waitingFor(poor, id)).resolves.toMatchObject({ reason: 'budget' });
    await fixture.bus.request(syncAgent, {
      agentId: poor,
      accountId: fixture.accountId,
      status: 'paused',
      revision: 2,
    });
    await expect(waitingFor(poor, id)).resolves.toMatchObject({ reason: 'paused' });
    await record(budgets[1] ?? '', 3, false, poor);
    await expect(claims()).resolves.toBeNull();
    await fixture.bus.request(syncAgent, {
      agentId: poor,
      accountId: fixture.accountId,
      status: 'active',
      revision: 3,
    });
    expect((await fixture.claim()).agentId).toBe(poor);
  });
});
