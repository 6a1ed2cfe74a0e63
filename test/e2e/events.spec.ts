import { followEvents, type FollowedEvent, startRoost, type TestRoost, until } from '#lib/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { markOf, startStandInModel, type StandInModel } from '../doubles/stand-in-model.js';

describe('following an agent through the whole platform', () => {
  let model: StandInModel;
  let roost: TestRoost;

  beforeAll(async () => {
    model = await startStandInModel({ answerMs: ([mark]) => (mark === 7 ? 6_000 : 2_000) });
    roost = await startRoost({ env: { OPENAI_BASE_URL: model.url, ROOST_DEFAULT_MODEL: 'openai/stand-in' } });
  });
  afterAll(async () => {
    await roost?.stop();
    model?.close();
  });

  const newAgent = async () => (await roost.api<{ id: string }>('POST', '/v1/agent/create', { name: 'a' })).body.id;
  const say = (agentId: string, n: number) =>
    roost.api<{ id: string }>('POST', `/v1/agent/${agentId}/messages`, { content: `message ${markOf(n)}` });
  const follow = async (agentId: string, lastEventId?: string) => {
    const seen: FollowedEvent[] = [];
    let isOpen = false;
    const stream = followEvents(
      `${roost.url}/v1/agent/${agentId}/events`,
      { authorization: `Bearer ${roost.apiKey}` },
      (event) => seen.push(event),
      { onOpen: () => (isOpen = true), ...(lastEventId === undefined ? {} : { lastEventId }) },
    );
    await until('the stream is open', () => isOpen);
    return { seen, stop: () => stream.stop() };
  };
  const textOf = (events: FollowedEvent[]) =>
    events.flatMap(({ type, data }) => (type === 'text.delta' ? [String(data.text)] : [])).join('');
  const ended = (events: FollowedEvent[]) => events.some(({ type }) => type === 'message.completed');

  it('sends a late reader the running turn from its start, and one that resumes only the rest', async () => {
    const agentId = await newAgent();
    const early = await follow(agentId);
    await say(agentId, 7);
    await until('the turn writes', () => early.seen.some(({ type }) => type === 'text.delta'));
    const late = await follow(agentId);
    const middle = early.seen.findLast(({ type }) => type === 'text.delta');
    const before = early.seen.slice(0, early.seen.indexOf(middle as FollowedEvent) + 1);
    const resumed = await follow(agentId, middle?.id);
    await until('all receive the end', () => [early, late, resumed].every(({ seen }) => ended(seen)));
    expect(textOf(early.seen)).toBe('I have answered 7.');
    expect(textOf(late.seen)).toBe('I have answered 7.');
    expect(textOf(before) + textOf(resumed.seen)).toBe('I have answered 7.');
    expect(early.seen.map(({ type }) => type).filter((type) => type !== 'text.delta')).toEqual([
      'message.created',
      'message.delivered',
      'turn.started',
      'message.completed',
    ]);
    await Promise.all([early, late, resumed].map(({ stop }) => stop()));
  });

  it('resumes between the parts of one event without gap or double', async () => {
    const agentId = await newAgent();
    const first = await follow(agentId);
    await say(agentId, 1);
    await until('the turn ends', () => ended(first.seen));
    await first.stop();
    const delivered = first.seen.find(({ type }) => type === 'message.delivered');
    const second = await follow(agentId, delivered?.id);
    await until('the rest is sent', () => ended(second.seen));
    expect(second.seen.map(({ type }) => type)).toEqual(['turn.started', 'message.completed']);
    await second.stop();
  });

  it('sends changes of the agent in order, also to a reader who was away', async () => {
    const agentId = await newAgent();
    const first = await follow(agentId);
    await say(agentId, 1);
    await until('the message is sent', () => first.seen.length > 0);
    await first.stop();
    expect((await roost.api('POST', `/v1/agent/${agentId}/pause`)).status).toBeLessThan(300);
    const second = await follow(agentId, first.seen[0]?.id);
    const change = await until('the change is sent', () => second.seen.find(({ type }) => type === 'agent.status'));
    expect(change).toMatchObject({
      data: { agent_id: agentId, status: 'paused' },
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    expect((await roost.api('POST', `/v1/agent/${agentId}/resume`)).status).toBeLessThan(300);
    await until('an open stream has the next change', () =>
      second.seen.find(({ type, data }) => type === 'agent.status' && data['status'] === 'active'),
    );
    await second.stop();
  });

  it('misses nothing for a reader that was cut before its first event', async () => {
    const agentId = await newAgent();
    const response = await fetch(`${roost.url}/v1/agent/${agentId}/events`, {
      headers: { authorization: `Bearer ${roost.apiKey}` },
    });
    const first = await response.body?.getReader().read();
    const position = /^id: (\S+)$/m.exec(new TextDecoder().decode(first?.value))?.[1];
    await say(agentId, 3);
    const reader = await follow(agentId, position);
    await until('the turn ends', () => ended(reader.seen));
    expect(reader.seen[0]?.type).toBe('message.created');
    await reader.stop();
  });

  it('says so when the event to resume from is not kept', async () => {
    const agentId = await newAgent();
    const reader = await follow(agentId, '01890000-0000-7000-8000-000000000001');
    await until('the gap is sent', () => reader.seen.some(({ type }) => type === 'stream.gap'));
    await reader.stop();
  });
});
