import { newAccount, startRoost, type TestRoost, until } from '#lib/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const SLOTS = 5;
/** Four fifths of the slots. */
const SHARE = 4;
const GREEDY_AGENTS = 7;

describe('an account whose agents never end their turns', () => {
  let roost: TestRoost;
  let good: Awaited<ReturnType<typeof newAccount>>;
  const messages: { agent: string; id: string }[] = [];

  beforeAll(async () => {
    roost = await startRoost({
      services: ['gateway', 'agent-lifecycle', 'messaging', 'agent-runtime'],
      env: { ROOST_DEFAULT_MODEL: 'demo', ROOST_MAX_TURNS: String(SLOTS) },
    });
    good = await newAccount(roost);
    for (let n = 0; n < GREEDY_AGENTS; n += 1) {
      const agent = await roost.api<{ id: string }>('POST', '/v1/agent/create', { name: `greedy-${n}` });
      const content = 'run: sleep 120';
      const sent = await roost.api<{ id: string }>('POST', `/v1/agent/${agent.body.id}/messages`, { content });
      messages.push({ agent: agent.body.id, id: sent.body.id });
    }
  });
  afterAll(() => roost.stop());

  const running = async () => {
    const states = await Promise.all(
      messages.map(({ agent, id }) =>
        roost.api<{ message: { status: string } }>('GET', `/v1/agent/${agent}/messages/${id}`),
      ),
    );
    return states.filter(({ body }) => body.message.status === 'delivered').length;
  };

  it('gets its share of the turns and no more, and another account is answered at once', async () => {
    await until('as many turns run as may', async () => (await running()) >= SHARE);
    const { body: agent } = await good.api<{ id: string }>('POST', '/v1/agent/create', { name: 'good' });
    for (const content of ['one', 'two', 'three']) {
      const sent = await good.api<{ id: string }>('POST', `/v1/agent/${agent.id}/messages`, { content });
      const answered = await good.api<{ replies: unknown[] }>(
        'GET',
        `/v1/agent/${agent.id}/messages/${sent.body.id}?wait=10`,
      );
      expect(answered.body.replies).toHaveLength(1);
    }
    expect(await running()).toBe(SHARE);
  });

  it('has its next message answered when one of its turns ends', async () => {
    const ended = messages.find(Boolean)!;
    const started = await running();
    await roost.api('POST', `/v1/agent/${ended.agent}/stop`);
    await roost.api('DELETE', `/v1/agent/${ended.agent}`);
    messages.splice(messages.indexOf(ended), 1);
    await until('another of its turns runs', async () => (await running()) === started);
  });
});
