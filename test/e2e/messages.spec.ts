import { randomUUID } from 'node:crypto';
import { startRoost, type TestRoost, until } from '#lib/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answeredIn, markOf, marksIn, startStandInModel, type StandInModel } from '../doubles/stand-in-model.js';

interface Message {
  id: string;
  role: string;
  content: string;
  status: string;
  conversation_id: string;
  reply_to_id: string | null;
  error: { code: string } | null;
  waiting_for: { reason: string } | null;
}
interface Page {
  messages: Message[];
  has_more: boolean;
}

const POISON = 666;
/** Its first answer takes longer than the test. */
const SLOW = 777;
const isFull = process.env.ROOST_FULL === '1';

describe('messages', () => {
  let model: StandInModel;
  let roost: TestRoost;

  beforeAll(async () => {
    model = await startStandInModel({
      answerMs: (marks, times) => (marks.includes(SLOW) && times === 1 ? 120_000 : 20),
      poison: POISON,
    });
    roost = await startRoost({
      env: {
        OPENAI_BASE_URL: model.url,
        ROOST_DEFAULT_MODEL: 'openai/stand-in',
        ROOST_RATE_LIMIT_PER_MINUTE: '1000000',
        // No sandbox is to be had: whoever wants one puts its agent in error.
        ROOST_BWRAP: '',
      },
    });
  });
  afterAll(async () => {
    await roost?.stop();
    model?.close();
  });

  const newAgent = async () => (await roost.api<{ id: string }>('POST', '/v1/agent/create', { name: 'a' })).body.id;
  const send = (agentId: string, body: unknown, headers: Record<string, string> = {}) =>
    roost.api<Message>('POST', `/v1/agent/${agentId}/messages`, body, headers);
  const list = async (agentId: string, query = '') =>
    (await roost.api<Page>('GET', `/v1/agent/${agentId}/messages?${query}`)).body;
  const answered = async (agentId: string, messageId: string) => {
    const { body } = await roost.api<{ replies: Message[] }>(
      'GET',
      `/v1/agent/${agentId}/messages/${messageId}?wait=30`,
    );
    return body.replies;
  };

  it('refuses what is no message and stores nothing of it', async () => {
    const agentId = await newAgent();
    const deep = JSON.parse('{"a":'.repeat(17) + '1' + '}'.repeat(17)) as object;
    const bad: [string, unknown][] = [
      ['empty content', { content: '' }],
      ['no content', {}],
      ['100,001 characters', { content: 'x'.repeat(100_001) }],
      ['metadata too deep', { content: 'x', metadata: deep }],
      ['metadata too large', { content: 'x', metadata: { a: 'x'.repeat(16_385) } }],
      ['an unknown queue_mode', { content: 'x', queue_mode: 'later' }],
      ['a NUL', { content: 'a\0b' }],
      ['half a character', '{"content":"a\\ud800"}'],
      ['half a character in metadata', '{"content":"a","metadata":{"b":"\\udfff"}}'],
    ];
    for (const [what, body] of bad) {
      const answer = await send(agentId, body, { 'content-type': 'application/json' });
      expect([what, answer.status, answer.body.error?.code]).toEqual([what, 400, 'VALIDATION_ERROR']);
    }
    expect((await list(agentId)).messages).toEqual([]);
  });

  it('keeps messages of a paused agent, refuses those to a stopped one with 503 and to a deleted one with 404', async () => {
    const agentId = await newAgent();
    await roost.api('POST', `/v1/agent/${agentId}/pause`);
    const queued = await send(agentId, { content: markOf(1) });
    expect([queued.status, queued.body.status]).toEqual([201, 'pending']);
    await roost.api('POST', `/v1/agent/${agentId}/resume`);
    expect(await answered(agentId, queued.body.id)).toHaveLength(1);
    await roost.api('POST', `/v1/agent/${agentId}/stop`);
    const stopped = await send(agentId, { content: 'x' });
    expect([stopped.status, stopped.body.error?.code]).toEqual([503, 'AGENT_UNAVAILABLE']);
    expect((await roost.api('POST', `/v1/agent/delete/${agentId}`)).status).toBe(200);
    const deleted = await send(agentId, { content: 'x' });
    expect([deleted.status, deleted.body]).toMatchObject([404, {}]);
    expect((await roost.api('GET', `/v1/agent/${agentId}/messages`)).status).toBe(404);
    await until(
      'its messages are gone',
      async () => (await roost.api('GET', `/v1/agent/${agentId}/messages/${queued.body.id}`)).status === 404,
    );
  });

  it('returns what a stopped agent was answering to its queue, and answers it when the agent is active again', async () => {
    const agentId = await newAgent();
    const message = await send(agentId, { content: markOf(SLOW) });
    await until('the model was asked', () => model.asked.get(SLOW) === 1);
    expect((await roost.api('POST', `/v1/agent/${agentId}/stop`)).status).toBe(200);
    const read = async () =>
      (
        await roost.api<{ message: Message; replies: Message[] }>(
          'GET',
          `/v1/agent/${agentId}/messages/${message.body.id}`,
        )
      ).body;
    await until('its turn has ended', async () => (await read()).message.status !== 'delivered');
    expect((await read()).message).toMatchObject({
      status: 'pending',
      error: null,
      waiting_for: { reason: 'stopped' },
    });
    expect((await list(agentId)).messages).toMatchObject([{ waiting_for: { reason: 'stopped' } }]);
    await roost.api('POST', `/v1/agent/${agentId}/status`, { status: 'active' });
    const replies = await answered(agentId, message.body.id);
    expect(replies.map(({ content }) => answeredIn(content))).toEqual([[SLOW]]);
    expect((await read()).message).toMatchObject({ status: 'read', error: null, waiting_for: null });
  });

  it('refuses messages to an agent in error with 503 until it is resumed', async () => {
    const agentId = await newAgent();
    await roost.api('GET', `/v1/agent/${agentId}/filesystem/directories`);
    await until(
      'the agent is in error',
      async () => (await roost.api<{ status: string }>('GET', `/v1/agent/${agentId}`)).body.status === 'error',
    );
    const refused = await until('messaging knows', async () => {
      const answer = await send(agentId, { content: 'x' });
      return answer.status !== 201 && answer;
    });
    expect([refused.status, refused.body.error?.code]).toEqual([503, 'AGENT_UNAVAILABLE']);
    await roost.api('POST', `/v1/agent/${agentId}/resume`);
    const accepted = await send(agentId, { content: markOf(1) });
    expect(accepted.status).toBe(201);
    expect(await answered(agentId, accepted.body.id)).toHaveLength(1);
  });

  it('answers what waits beside a message that no model takes, and gives that one alone the error', async () => {
    const agentId = await newAgent();
    await roost.api('POST', `/v1/agent/${agentId}/pause`);
    const marks = [1, 2, POISON, 3, 4];
    const ids: string[] = [];
    for (const mark of marks) ids.push((await send(agentId, { content: markOf(mark) })).body.id);
    await roost.api('POST', `/v1/agent/${agentId}/resume`);
    for (const id of ids) await answered(agentId, id);
    const { messages } = await list(agentId);
    expect(messages.flatMap(({ role, content }) => (role === 'user' ? [] : answeredIn(content)))).toEqual([1, 2, 3, 4]);
    const failed = messages.filter(({ error }) => error);
    expect(failed.map(({ id, error }) => [id, error?.code])).toEqual([[ids[2], 'MODEL_REFUSED_REQUEST']]);
  });

  it('stores a message once however often it is sent under one Idempotency-Key, at once too', async () => {
    const agentId = await newAgent();
    const key = { 'idempotency-key': randomUUID() };
    const sent = await Promise.all(Array.from({ length: 5 }, () => send(agentId, { content: markOf(1) }, key)));
    const accepted = sent.filter(({ status }) => status === 201);
    expect(new Set(accepted.map(({ body }) => body.id)).size).toBe(1);
    expect(sent.every(({ status }) => status === 201 || status === 409)).toBe(true);
    expect((await send(agentId, { content: markOf(1) }, key)).body.id).toBe(accepted[0]?.body.id);
    expect((await list(agentId)).messages.filter(({ role }) => role === 'user')).toHaveLength(1);
  });

  it('pages both ways without gap or double, and refuses a cursor of another agent', async () => {
    const agentId = await newAgent();
    await roost.api('POST', `/v1/agent/${agentId}/pause`);
    const ids: string[] = [];
    for (let n = 0; n < 7; n += 1) ids.push((await send(agentId, { content: markOf(n) })).body.id);
    const newest = await list(agentId, 'limit=3');
    expect([newest.messages.map(({ id }) => id), newest.has_more]).toEqual([ids.slice(4), true]);
    await send(agentId, { content: 'arrives meanwhile' });
    const earlier = await list(agentId, `limit=3&before=${ids[4]}`);
    expect([earlier.messages.map(({ id }) => id), earlier.has_more]).toEqual([ids.slice(1, 4), true]);
    const later = await list(agentId, `limit=2&after=${ids[0]}`);
    expect(later.messages.map(({ id }) => id)).toEqual(ids.slice(1, 3));
    const other = await newAgent();
    const refused = await roost.api('GET', `/v1/agent/${other}/messages?before=${ids[4]}`);
    expect(refused.status).toBe(400);
  });

  it('marks a reply read only when asked to', async () => {
    const agentId = await newAgent();
    const sent = await send(agentId, { content: markOf(1) });
    const [reply] = await answered(agentId, sent.body.id);
    const unread = async () =>
      (
        await roost.api<{ conversations: { unread_count: number }[] }>('GET', `/v1/agent/${agentId}/conversations`)
      ).body.conversations.map(({ unread_count }) => unread_count);
    expect(await unread()).toEqual([1]);
    const read = `/v1/agent/${agentId}/messages/${reply?.id}/read`;
    expect((await roost.api<Message>('POST', read)).body.status).toBe('read');
    expect((await roost.api<Message>('POST', read)).status).toBe(200);
    expect(await unread()).toEqual([0]);
    expect((await roost.api('POST', `/v1/agent/${agentId}/messages/${sent.body.id}/read`)).status).toBe(409);
  });

  const [conversations, each] = isFull ? [10, 100] : [5, 10];

  it(`answers ${conversations} conversations of ${each} messages in exact order, all at once`, async () => {
    const agents = await Promise.all(Array.from({ length: 2 }, newAgent));
    await Promise.all(
      Array.from({ length: conversations }, async (_, index) => {
        const agentId = agents[index % agents.length] ?? '';
        for (let n = 0; n < each; n += 1)
          await send(agentId, { content: markOf(index * 1_000 + n), conversation_id: `c${index}` });
      }),
    );
    for (let index = 0; index < conversations; index += 1) {
      const agentId = agents[index % agents.length] ?? '';
      const expected = Array.from({ length: each }, (_, n) => index * 1_000 + n);
      const all = () => conversation(agentId, `c${index}`);
      await until(
        `conversation ${index} is answered`,
        async () =>
          (await all()).flatMap(({ role, content }) => (role === 'user' ? [] : answeredIn(content))).length >= each,
        { timeoutMs: 90_000, everyMs: 200 },
      );
      const messages = await all();
      expect(messages.flatMap(({ role, content }) => (role === 'user' ? marksIn(content) : []))).toEqual(expected);
      expect(messages.flatMap(({ role, content }) => (role === 'user' ? [] : answeredIn(content)))).toEqual(expected);
    }
  });

  const conversation = async (agentId: string, id: string): Promise<Message[]> => {
    const all: Message[] = [];
    for (let before = ''; ;) {
      const page = await list(agentId, `limit=100&conversation_id=${id}${before}`);
      all.unshift(...page.messages);
      if (!page.has_more) return all;
      before = `&before=${page.messages[0]?.id}`;
    }
  };
});
